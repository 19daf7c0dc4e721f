/** A random id as the server takes it: up to 32 letters and digits. Pages on plain http have no `crypto.randomUUID`. */
export const createClientId = (): string => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(36)).join('')
