import { Limits } from "@millrace/core"
import { assertEquals } from "@std/assert"
import { describe, it } from "node:test"
import { plainText } from "../src/internal/plainText.ts"

describe("a text for people", () => {
  it("stays as it is where it can be stored", () => {
    for (const text of ["", "no luck", "Straße 🚂\n\ttab", "x".repeat(Limits.textLength)]) {
      assertEquals(plainText(text), text)
    }
  })

  it("has no NUL characters and no halves of surrogate pairs", () => {
    assertEquals(plainText("a\0b\ud83dc\udf82d"), "a\ufffdb\ufffdc\ufffdd")
    assertEquals(plainText("\ud83d"), "\ufffd")
  })

  it("is cut to its limit, and says so", () => {
    const text = plainText("x".repeat(Limits.textLength + 1))
    assertEquals(text.length, Limits.textLength)
    assertEquals(text.slice(-2), "x…")
    assertEquals(plainText("x".repeat(10_000_000)), text)
  })

  it("is not cut in the middle of a pair", () => {
    for (const lead of ["", "x"]) {
      const text = plainText(lead + "🚂".repeat(Limits.textLength))
      assertEquals(text.isWellFormed() && !text.includes("\ufffd"), true)
      assertEquals(text.endsWith("🚂…"), true)
      assertEquals(text.length >= Limits.textLength - 1, true)
    }
  })
})
