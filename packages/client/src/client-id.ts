/** A random id as the server takes it: 32 hexadecimal digits. Pages on plain http have no `crypto.randomUUID`. */
export const createClientId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
