import type { Attack } from '../attacker.ts'
import { anyMessage } from './any-message.ts'
import { connectionStorm } from './connection-storm.ts'
import { flood } from './flood.ts'
import { lockFlood } from './lock-flood.ts'
import { presenceFlood } from './presence-flood.ts'
import { rawFrames } from './raw-frames.ts'
import { slowLoris } from './slow-loris.ts'
import { stolenClientId } from './stolen-client-id.ts'
import { subscriptionStorm } from './subscription-storm.ts'

/** Every attack, by name. */
export const ATTACKS = {
  'any message': anyMessage,
  'raw frames': rawFrames,
  'connection storm': connectionStorm,
  'stolen clientId': stolenClientId,
  'subscription storm': subscriptionStorm,
  'slow loris': slowLoris,
  flood,
  'presence flood': presenceFlood,
  'lock flood': lockFlood,
} as const satisfies Record<string, Attack>

/** The name of an attack. */
export type AttackName = keyof typeof ATTACKS
