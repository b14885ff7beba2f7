/** A relay before the server that can lose what passes, so that nobody knows what became of it. */
import { once } from "node:events"
import net from "node:net"
import { databaseUrl } from "./server.ts"

/** What happens to the next COMMIT: its answer is lost, or it never arrives. */
export type Loss = "answer" | "request"

export interface Relay {
  readonly url: string
  /** Lets the next COMMIT be lost, and its connection with it. */
  readonly loseNextCommit: (loss: Loss) => void
  /** How many were lost. */
  readonly lost: () => number
  readonly close: () => Promise<void>
}

export const startRelay = async (): Promise<Relay> => {
  const target = new URL(databaseUrl())
  const sockets = new Set<net.Socket>()
  let next: Loss | undefined
  let lost = 0
  const server = net.createServer((client) => {
    const upstream = net.connect(Number(target.port || 5432), target.hostname)
    let losing = false
    const end = () => {
      client.destroy()
      upstream.destroy()
    }
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on("error", end)
      socket.on("close", end)
    }
    client.on("data", (data: Uint8Array) => {
      // Not prepared, it comes in one piece.
      if (next !== undefined && Buffer.from(data).toString("latin1").includes("\0commit\0")) {
        losing = true
        lost++
        const loss = next
        next = undefined
        if (loss === "request") return end()
      }
      upstream.write(data)
    })
    // The answer is here, so the server has committed.
    upstream.on("data", (data: Uint8Array) => losing ? end() : client.write(data))
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const url = new URL(target.href)
  url.hostname = "127.0.0.1"
  url.port = String((server.address() as net.AddressInfo).port)
  return {
    url: url.href,
    loseNextCommit: (loss) => {
      next = loss
    },
    lost: () => lost,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, "close")
    },
  }
}
