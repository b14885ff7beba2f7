import { fly } from "./benchmarks/contestants/millrace-flows.ts"
const url = process.env.DATABASE_URL!
for (const [shape, size] of [["map",100],["map",1000],["map",4000],["map", 10000],["fan-in",1000],["chain",100],["diamond",1000]] as const) {
  const { tasks, seconds } = await fly(url, { shape, size, runs: 5 })
  const s = [...seconds].sort((a,b)=>a-b)
  console.log(shape, size, Math.round(tasks / s[2]!), "tasks/s", s.map((x) => (x*1000).toFixed(0)).join(" "), "ms")
}
