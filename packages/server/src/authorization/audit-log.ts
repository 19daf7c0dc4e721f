import { RealtimeError, type ErrorCode } from '@tutti/protocol'
import { callSafely } from '@tutti/protocol/internal'
import type { Connection } from '../connection/connection.ts'
import type { ServerErrorListener } from '../feature.ts'
import type { ComparedOrigin } from '../authentication/origin-policy.ts'
import type { Access, Action } from './authorize.ts'

/**
 * Something that an operator may want to look up later. With `code`: it was refused, or why a connection was closed; without:
 * it was allowed, or rights were taken away. Never a token, a cookie or a value.
 */
export interface AuditRecord {
  /** Milliseconds since 1970. */
  readonly at: number
  /** Id of the user; '' without a user. */
  readonly user: string
  /**
   * The client's address in normal form, according to `trustProxy`; `unknown` on a Unix socket; '' if no client was involved.
   */
  readonly address: string
  /**
   * The action of `authorize`; or `authenticate` (`realtime.authenticate` identified no user of an HTTP request), `connect`,
   * `close` (this instance closed the connection: it flooded, did not read, or its sign-in ended) or `revoke` (rights of the
   * user were revoked; each instance reports it).
   */
  readonly action: Action | 'authenticate' | 'connect' | 'close' | 'revoke'
  /** The target of the action. For a refused `connect` of a page: its origin, and the host that it was compared with. */
  readonly target?: Readonly<Access['target']> | ComparedOrigin
  readonly code?: ErrorCode
}

/** Receives records that an operator may want to look up later. */
export type AuditListener = (record: AuditRecord) => void

/** The acting user. */
export type Actor = Pick<Connection, 'user' | 'address'>

/** The event, without time and user. */
type Deed = Pick<AuditRecord, 'action' | 'target'>

/** What an audit trail needs. */
export interface AuditTrailOptions {
  readonly onAudit: AuditListener | undefined
  /** Also what was allowed. */
  readonly auditAllowed: boolean
  readonly onError: ServerErrorListener
}

/** Reports to the application which users were refused what, and on demand which were allowed what. */
export interface AuditTrail {
  /** What was allowed is recorded, too. */
  readonly recordsAllowed: boolean
  /** Rights were taken away. */
  revoked(user: string, pattern: string): void
  /** It was refused, or the connection closed, for that reason. */
  refused(actor: Actor, deed: Deed, reason: unknown): void
  allowed(actor: Actor, deed: Deed): void
}

/** Makes the audit trail of one server. */
export function createAuditTrail({ onAudit, auditAllowed, onError }: AuditTrailOptions): AuditTrail {
  const report = ({ user, address }: Actor, { action, target }: Deed, code?: ErrorCode): void => {
    if (onAudit === undefined) return
    const record = { at: Date.now(), user, address, action, ...(target && { target }), ...(code && { code }) }
    callSafely(
      () => onAudit(record),
      (error) => onError(error, { stage: 'listener', subject: 'onAudit' }),
    )
  }
  const recordsAllowed = auditAllowed && onAudit !== undefined
  return {
    recordsAllowed,
    revoked: (user, pattern) => report({ user, address: '' }, { action: 'revoke', target: { pattern } }),
    refused: (actor, deed, reason) => report(actor, deed, reason instanceof RealtimeError ? reason.code : 'INTERNAL'),
    allowed: (actor, deed) => {
      if (recordsAllowed) report(actor, deed)
    },
  }
}
