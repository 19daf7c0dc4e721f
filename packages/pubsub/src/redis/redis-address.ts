import { isIPv6 } from 'node:net'

/** The address of a server. */
export interface RedisAddress {
  host: string
  port: number
}

const HOST_NAME = /^[\p{L}\p{M}\p{N}._-]{1,253}$/u

/** Maximum UTF-8 bytes of the path of a Unix socket, on Linux. */
export const MAX_SOCKET_PATH_BYTES = 107

/** Whether it is the name or the IP address of a host, without a scheme, a port or brackets. */
export const isHost = (host: unknown): host is string => typeof host === 'string' && (HOST_NAME.test(host) || isIPv6(host))

/** Whether it is the number of a TCP port. */
export const isPort = (port: unknown): port is number => typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536

/** Whether it is the number of a database. */
export const isDatabase = (db: unknown): db is number => typeof db === 'number' && Number.isInteger(db) && db >= 0 && db < 2 ** 31

/** Whether it is the absolute path of a Unix socket. */
export const isSocketPath = (path: unknown): path is string =>
  typeof path === 'string' && /^\/[^\0]+$/.test(path) && Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES

/** Whether it is an address with a host and a port. */
export const isAddress = (address: unknown): address is RedisAddress =>
  typeof address === 'object' && address !== null && 'host' in address && isHost(address.host) && 'port' in address && isPort(address.port)
