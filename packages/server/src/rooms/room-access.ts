import type { Access } from '../authorization/authorize.ts'

/** To be in a room by a request of the client. */
export const roomAccess = (room: string): Access => ({ action: 'room:join', target: { room } })
