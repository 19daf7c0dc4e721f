import { createServer } from 'node:net'

/** The first free ports of the host, from `from` on. */
export async function freePorts(host: string, from: number, count: number): Promise<number[]> {
  const ports: number[] = []
  for (let port = from; ports.length < count; port++) {
    if (port > 65_535) throw new Error(`Fewer than ${count} free ports from ${from} on.`)
    if (await isFree(host, port)) ports.push(port)
  }
  return ports
}

/** Whether the address can be listened on. */
export function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer().once('error', () => resolve(false))
    probe.listen(port, host, () => probe.close(() => resolve(true)))
  })
}
