/**
 * Whether the host's server could not listen. Nitro logs such an error and continues; connections to Redis would keep the process
 * alive, without a port.
 */
export function isListenFailure(error: unknown): boolean {
  if (!(error instanceof Error) || !('syscall' in error) || error.syscall !== 'listen') return false
  // A server of the application's own may fail as well, on another port.
  const { NITRO_PORT, PORT, NITRO_UNIX_SOCKET } = process.env
  if ('port' in error) return String(error.port) === (NITRO_PORT ?? PORT ?? '3000')
  return 'address' in error && error.address === NITRO_UNIX_SOCKET
}
