import type { Attack } from '../attacker.ts'
import { floodConnections } from './flood-connections.ts'

const CONNECTIONS = 4
const BURST = 200

/** Writes and events, two hundred at a time on each connection. */
export const flood: Attack = (context) =>
  floodConnections(context, {
    connections: CONNECTIONS,
    burst: (place) =>
      Array.from({ length: BURST }, (_, n) =>
        n % 2 === 0
          ? { name: 'storage:set', payload: { key: `public:${place}`, value: n } }
          : { name: 'event:publish', payload: { channel: `public:${place}`, data: n } },
      ),
  })
