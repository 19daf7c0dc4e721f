import { matchesChannel, parsePattern, parseRoom, RealtimeError, toWireError, type RevokedTarget } from '@tutti/protocol'
import { roomPrefix } from '@tutti/protocol/internal'
import { revocationSchema } from '@tutti/protocol/internal/schemas'
import type { Connection } from '../connection/connection.ts'
import type { Core, Feature } from '../feature.ts'
import { parseRelayMessage } from '../parse-relay-message.ts'
import type { ConnectionAccess } from './access-control.ts'
import type { Verdict } from './authorization-cache.ts'
import type { Access, User } from './authorize.ts'

/** The user whose rights are revoked, and which rights. */
export interface Revocation {
  /** The id of the user. */
  user: string
  /** Keys, channels and rooms: `todos:1`, `todos:*`. Without it, all rights of the user are revoked. */
  pattern?: string
  /** Instead of a pattern: a room, with its presence, and the keys and channels that `room(client, name)` uses. */
  room?: string
}

/** The same between instances. */
interface RelayedRevocation {
  user: string
  pattern?: string | undefined
  room?: string | undefined
}

/** The channel of the relay (N8). */
const RELAY = 'revocations'

/** Connections that are authorized again concurrently after a gap. */
const AT_ONCE = 50

/** Error for an access that has been revoked. */
export const revokedError = (): RealtimeError => new RealtimeError('FORBIDDEN', { message: 'Access was revoked.' })

/** Throws where the right to a subscription has ended before its reply: nothing of it is sent after the revocation. */
export function checkSubscribed({ connected, subscriptions }: Connection, name: string): void {
  if (connected && !subscriptions.has(name)) throw revokedError()
}

/** Revokes rights: ends subscriptions that depend on them here and, through the relay, on every instance (X2). */
export class Revocations<U extends User> {
  private readonly core: Core
  private readonly access: ConnectionAccess<U>
  private readonly features: readonly Feature[]
  private readonly stops: (() => void)[] = []
  /** Settles when revocations of other instances are received. */
  readonly ready: Promise<void>

  constructor(core: Core, access: ConnectionAccess<U>, features: readonly Feature[]) {
    this.core = core
    this.access = access
    this.features = features
    access.onExpiry = (connection) => void this.reconsider(connection)
    const { pubsub } = core
    const relay = pubsub?.subscribe(RELAY, (message) => this.revokeHere(parseRelayMessage(revocationSchema, message)))
    if (relay !== undefined) this.stops.push(relay)
    if (pubsub !== undefined) this.stops.push(pubsub.onGap(() => void this.askAgain()))
    this.ready = relay?.ready ?? Promise.resolve()
    // A revocation that was published before the subscription was in force is missed by connections that came before it.
    this.ready.then(
      () => this.askAgain(),
      () => {},
    )
  }

  /** Takes effect here at once, then everywhere; throws `INVALID_CHANNEL`, or `RELAY_FAILED` where only this instance knows. */
  async revoke({ user, pattern, room }: Revocation): Promise<void> {
    const revocation = {
      user,
      ...(pattern !== undefined && { pattern: parsePattern(pattern) }),
      ...(room !== undefined && { room: parseRoom(room) }),
    }
    this.revokeHere(revocation)
    try {
      await this.core.pubsub?.publish(RELAY, revocation)
    } catch (cause) {
      throw new RealtimeError('RELAY_FAILED', {
        message: 'Revoked on this instance only: notifying the other instances failed. Call revoke() again.',
        cause,
      })
    }
  }

  close(): void {
    for (const stop of this.stops) stop()
  }

  private revokeHere({ user, pattern = '*', room }: RelayedRevocation): void {
    this.core.audit.revoked(user, room === undefined ? pattern : `${roomPrefix(room)}*`)
    const revoked = { refusal: revokedError() }
    const covers = (access: Access): boolean => (room === undefined ? matchesChannel(pattern, patternOf(access)) : belongsTo(room, access))
    const part = room === undefined ? pattern : `${roomPrefix(room)}*`
    for (const connection of [...this.access.all]) {
      if (connection.user !== user) continue
      this.access.forget(connection)
      let narrowed = false
      for (const { feature, access } of this.heldBy(connection)) {
        if (covers(access)) this.apply(feature, connection, access, revoked)
        else if (matchesChannel(patternOf(access), part)) {
          // A part of a pattern or prefix: until the application has decided about the rest, every name is authorized
          // separately.
          this.apply(feature, connection, access, { allow: 'each' })
          narrowed = true
        }
      }
      for (const { feature, access } of this.givenTo(connection)) if (covers(access)) this.apply(feature, connection, access, revoked)
      if (narrowed) void this.reconsider(connection)
    }
  }

  /** A revocation may have been missed: all subscriptions are authorized again. */
  private async askAgain(): Promise<void> {
    const all = [...this.access.all]
    for (const connection of all) this.access.forget(connection)
    for (let start = 0; start < all.length; start += AT_ONCE) {
      await Promise.all(all.slice(start, start + AT_ONCE).map((connection) => this.reconsider(connection)))
    }
  }

  /** Authorizes the accesses of the connection for which no verdict is remembered. */
  private async reconsider(connection: Connection): Promise<void> {
    await Promise.all(
      this.heldBy(connection).map(async ({ feature, access }) => {
        if (this.access.isRemembered(connection, access)) return
        const verdict = await this.access.decide(connection, access)
        if (connection.connected) this.apply(feature, connection, access, verdict)
      }),
    )
  }

  private apply(feature: Feature, connection: Connection, access: Access, verdict: Verdict): void {
    feature.apply?.(connection, access, verdict)
    if (!('refusal' in verdict)) return
    const { refusal } = verdict
    if (!(refusal instanceof RealtimeError)) this.core.onError(refusal, { stage: 'authorize', subject: patternOf(access) })
    this.core.audit.refused(connection, access, refusal)
    connection.send('server:revoked', { target: targetOf(access), error: toWireError(refusal) })
  }

  private givenTo(connection: Connection): { feature: Feature; access: Access }[] {
    return this.features.flatMap((feature) => [...(feature.given?.(connection) ?? [])].map((access) => ({ feature, access })))
  }

  private heldBy(connection: Connection): { feature: Feature; access: Access }[] {
    return this.features.flatMap((feature) => [...(feature.holds?.(connection) ?? [])].map((access) => ({ feature, access })))
  }
}

/** Whether the access is to a room, or to a key or channel of it. */
const belongsTo = (room: string, access: Access): boolean =>
  'room' in access.target ? access.target.room === room : matchesChannel(`${roomPrefix(room)}*`, patternOf(access))

/** The access as a pattern; a name is its own pattern. */
function patternOf({ target }: Access): string {
  if ('key' in target) return target.key
  if ('channel' in target) return target.channel
  if ('room' in target) return target.room
  if ('document' in target) return target.document
  return 'pattern' in target ? target.pattern : `${target.prefix}*`
}

/** The access as the client named it. */
function targetOf({ action, target }: Access): RevokedTarget {
  if (action === 'presence:join') return { ...target, membership: true }
  if (action === 'room:join') return { ...target, joined: true }
  if (action === 'lock:acquire') return { lock: target.key, held: true }
  if (action === 'lock:read') return 'key' in target ? { lock: target.key } : { locks: target.prefix }
  return 'pattern' in target ? { channel: target.pattern } : target
}
