import { randomUUID } from 'node:crypto'
import type { Coordination, Cursors, MemberIdentity, Members, MembersChange, MembersView } from '../contract.ts'
import type { CoordinationOptions } from '../coordination-options.ts'
import { createUntil } from './create-until.ts'

/** What the suite needs of an implementation. */
export interface CoordinationUnderTest {
  coordination: Coordination
  /** Another instance of the cluster; the same object where there can be only one. */
  other: Coordination
  /** Ends both and what they depend on. */
  dispose(): Promise<void>
}

/** Makes two instances with these options. */
export type CreateCoordination = (options: CoordinationOptions) => Promise<CoordinationUnderTest>

/** A room that no other test uses. */
export const freshRoom = (): string => `room:${randomUUID()}`

/** A client with a connection of its own. */
export const freshClient = (user = 'ann'): MemberIdentity & { clientId: string } => ({
  user,
  clientId: randomUUID(),
  connectionId: randomUUID(),
})

/** The same client on a new connection. */
export const reconnected = <Identity extends MemberIdentity>(client: Identity): Identity => ({ ...client, connectionId: randomUUID() })

/** A view with all that its listener has received. */
export interface RecordedView {
  readonly view: MembersView
  readonly changes: readonly MembersChange[]
  readonly cursors: readonly Cursors[]
  /** Ids that were reported as gone, in order. */
  readonly left: readonly string[]
  /** Settles when the condition is true, which is checked at each change. */
  until(condition: () => boolean): Promise<void>
}

/** Opens a view and waits until it is ready. */
export async function record(members: Members): Promise<RecordedView> {
  const changes: MembersChange[] = []
  const cursors: Cursors[] = []
  const { until, check } = createUntil()
  const view = members.observe({
    onChange: (change) => {
      changes.push(change)
      check()
    },
    onCursors: (moved) => {
      cursors.push(moved)
      check()
    },
  })
  await view.ready
  return {
    ...{ view, changes, cursors, until },
    get left() {
      return changes.flatMap((change) => change.left)
    },
  }
}
