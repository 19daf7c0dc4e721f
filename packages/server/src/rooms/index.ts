// Rooms for processes without Socket.IO. Nothing here loads it.
export { createRoomSender, type RoomSender, type RoomSenderOptions } from './room-sender.ts'
export type { RoomTarget, TargetedConnections } from './room-target.ts'
export type * from './rooms-contract.ts'
