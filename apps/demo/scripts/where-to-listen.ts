import { freePorts, isFree } from './free-ports.ts'

/** The values of `HOST` and `PORT`: by default 127.0.0.1, and the first free ports from 3000 on. */
export async function whereToListen(count: number): Promise<{ host: string; ports: number[] }> {
  const { HOST: host = '127.0.0.1', PORT: wanted } = process.env
  const port = Number(wanted ?? 3000)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`Invalid PORT: ${wanted}. Use a number from 1 to 65535.`)
  if (wanted !== undefined && !(await isFree(host, port))) throw new Error(`Port ${port} is in use. Set another one with PORT.`)
  return { host, ports: await freePorts(host, port, count) }
}

/** An address that a browser on this machine can open. */
export const addressOf = (host: string, port: number): string =>
  `http://${host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`
