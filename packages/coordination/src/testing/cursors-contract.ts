import { expect, test } from 'vitest'
import { freshClient, freshRoom, record, type CoordinationUnderTest } from './coordination-under-test.ts'

/** Cursors of members. */
export function cursorsContract(use: () => CoordinationUnderTest): void {
  test('[P5] cursors reach the views of every instance, those here at once', async () => {
    const { coordination, other } = use()
    const room = freshRoom()
    const here = coordination.members(room)
    const { id } = await here.join(freshClient())
    const [near, far] = [await record(here), await record(other.members(room))]
    here.publishCursors({ [id]: { x: 1 }, absent: 2 })
    expect(near.cursors).toEqual([{ [id]: { x: 1 } }])
    // The far view has also requested the newest cursors when it was opened.
    await far.until(() => far.cursors.length > 0)
    expect(far.cursors[0]).toEqual({ [id]: { x: 1 } })
    expect([...far.view.cursors]).toEqual([[id, { x: 1 }]])
  })

  test('[P5] a view elsewhere receives the newest cursors of members that do not move', async () => {
    const { coordination, other } = use()
    const room = freshRoom()
    const here = coordination.members(room)
    const first = await here.join(freshClient())
    const client = freshClient()
    const second = await here.join(client)
    here.publishCursors({ [first.id]: 1, [second.id]: 1 })
    here.publishCursors({ [second.id]: 2 })
    const far = await record(other.members(room))
    await far.until(() => far.view.cursors.size === 2)
    expect(Object.fromEntries(far.view.cursors)).toEqual({ [first.id]: 1, [second.id]: 2 })
    await here.leave(client.connectionId)
    await far.until(() => far.left.length === 1)
    expect([...far.view.cursors.keys()]).toEqual([first.id])
  })
}
