import { RealtimeError, toWireError, type Handshake } from '@tutti/protocol'
import type { Socket } from 'socket.io'
import type { Connection } from './connection.ts'
import { parseHandshake } from './handshake.ts'
import { authenticated, expired, type Authenticate } from '../authentication/authenticate.ts'
import { createAddressLimit } from './address-limit.ts'
import { createConnectRate } from './connect-rate.ts'
import type { AuditTrail } from '../authorization/audit-log.ts'
import { clientAddress } from '../authentication/client-address.ts'
import type { ComparedOrigin, OriginPolicy } from '../authentication/origin-policy.ts'
import type { ConnectionAccess } from '../authorization/access-control.ts'
import type { User } from '../authorization/authorize.ts'
import { runAt } from '../authorization/schedule-at.ts'
import { SocketConnection, type ConnectionContext } from './socket-connection.ts'

/**
 * Admission of connections: parses the handshake, identifies the user, and ends the connection together with the sign-in (X1).
 */
export interface Admission {
  /** Rejects for a client that may not connect, with the error that is sent to it. */
  check(socket: Socket): Promise<void>
  /** Throws `FORBIDDEN` for a page of an origin that may not connect. */
  checkOrigin(socket: Socket): void
  /** The client's address, according to `trustProxy`. */
  addressOf(socket: Socket): string
  /** Both names of a page of a foreign origin. */
  foreignOriginOf(socket: Socket): ComparedOrigin | undefined
  /** The connection of a socket that was let in. */
  open(socket: Socket, context: ConnectionContext): SocketConnection
  /** The connection is gone. */
  close(connection: Connection): void
}

/** What admission needs. */
export interface AdmissionOptions<U extends User> {
  readonly authenticate: Authenticate<U> | undefined
  /** The number of trusted proxies in front of the server. */
  readonly trustProxy: number
  readonly origins: OriginPolicy
  readonly maxConnectionsPerAddress: number
  readonly connectsPerSecondPerAddress: number
  readonly entrances: ConnectionAccess<U>
  readonly audit: AuditTrail
}

interface Checked<U extends User> {
  readonly handshake: Handshake
  readonly address: string
  readonly user: U | null
}

/** Admission for one server. */
export function createAdmission<U extends User>({
  authenticate,
  trustProxy,
  origins,
  maxConnectionsPerAddress,
  connectsPerSecondPerAddress,
  entrances,
  audit,
}: AdmissionOptions<U>): Admission {
  const checked = new WeakMap<Socket, Checked<U>>()
  /** By transport, and not by socket: one socket after another may use it. */
  const counted = new WeakMap<object, string>()
  const addresses = createAddressLimit(maxConnectionsPerAddress)
  const connects = createConnectRate(connectsPerSecondPerAddress)
  const expiries = new Map<Connection, () => void>()

  const count = ({ conn }: Socket, address: string): void => {
    if (counted.has(conn)) return
    counted.set(conn, addresses.enter(address))
    conn.on('close', countOut)
  }
  /** One function for all transports, and not one for each. */
  function countOut(this: Socket['conn']): void {
    const key = counted.get(this)
    if (key !== undefined) addresses.leave(key)
    counted.delete(this)
  }

  const nameUser = (socket: Socket, { token }: Handshake, address: string): Promise<U> | null => {
    if (authenticate === undefined) return null
    const { auth, headers, url } = socket.handshake
    // With '*' any page may connect, and none of these may act with the cookies of its visitors.
    const allowed = origins.trusts(socket.handshake) ? headers : { ...headers, cookie: undefined }
    return authenticated(authenticate, { token, auth, headers: allowed, address, url }, Date.now())
  }

  const addressOf = ({ handshake: { headers, address } }: Socket): string => clientAddress(headers, address, trustProxy)

  const foreignOriginOf = ({ handshake }: Socket): ComparedOrigin | undefined => origins.compared(handshake)

  /** The message names the origin alone: the host that it was compared with may be internal (X7). */
  const checkOrigin = (socket: Socket): void => {
    const foreign = foreignOriginOf(socket)
    if (foreign === undefined) return
    throw new RealtimeError('FORBIDDEN', {
      message: `Origin not allowed: ${foreign.origin}. Add it to \`origins\`, or set \`trustProxy\` if a proxy changes the host.`,
    })
  }

  const expire = (connection: SocketConnection): void => {
    const reason = expired()
    audit.refused(connection, { action: 'close' }, reason)
    connection.send('server:revoked', { target: { connection: true }, error: toWireError(reason) })
    connection.disconnect()
  }

  return {
    addressOf,
    foreignOriginOf,
    checkOrigin,
    check: async (socket) => {
      const handshake = parseHandshake(socket.handshake.auth)
      const address = addressOf(socket)
      connects.count(address)
      count(socket, address)
      checkOrigin(socket)
      checked.set(socket, { handshake, address, user: await nameUser(socket, handshake, address) })
    },
    open: (socket, context) => {
      const { handshake: { clientId } = {}, user = null, address = addressOf(socket) } = checked.get(socket) ?? {}
      checked.delete(socket)
      const connection = new SocketConnection(socket, { user: user?.id ?? '', address, clientId }, context)
      entrances.open(connection, user)
      if (user?.expiresAt !== undefined)
        expiries.set(
          connection,
          runAt(user.expiresAt, () => expire(connection)),
        )
      return connection
    },
    close: (connection) => {
      expiries.get(connection)?.()
      expiries.delete(connection)
      entrances.close(connection)
    },
  }
}
