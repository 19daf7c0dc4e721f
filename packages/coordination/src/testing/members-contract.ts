import { expect, test } from 'vitest'
import { freshClient, freshRoom, reconnected, record, type CoordinationUnderTest } from './coordination-under-test.ts'

/** Members of a room: joins, updates, leaves and views. */
export function membersContract(use: () => CoordinationUnderTest): void {
  const rooms = () => {
    const { coordination, other } = use()
    const room = freshRoom()
    return { here: coordination.members(room), there: other.members(room), room }
  }

  test('[P1] a join, an update and a leave reach the views of every instance', async () => {
    const { here, there } = rooms()
    const [near, far] = [await record(here), await record(there)]
    const client = freshClient()
    const { id, isListed } = await here.join(client, { colour: 'red' })
    expect(isListed).toBe(true)
    const member = { id, user: 'ann', info: { colour: 'red' }, infoJson: '{"colour":"red"}' }
    for (const seen of [near, far]) {
      await seen.until(() => seen.changes.length === 1)
      expect(seen.changes).toEqual([{ joined: [member], updated: [], left: [], count: 1 }])
      expect([...seen.view.members.values()]).toEqual([member])
    }
    await here.update(client.connectionId, 5)
    const updated = { id, user: 'ann', info: 5, infoJson: '5' }
    for (const seen of [near, far]) {
      await seen.until(() => seen.changes.length === 2)
      expect(seen.changes[1]).toEqual({ joined: [], updated: [updated], left: [], count: 1 })
    }
    await here.leave(client.connectionId)
    for (const seen of [near, far]) {
      await seen.until(() => seen.changes.length === 3)
      expect(seen.changes[2]).toEqual({ joined: [], updated: [], left: [id], count: 0 })
      expect(seen.view.members.size).toBe(0)
    }
  })

  test('[P1] a join resolves when a view of its instance contains the member', async () => {
    const { here } = rooms()
    const { view } = await record(here)
    const { id } = await here.join(freshClient(), 1)
    expect(view.members.get(id)).toMatchObject({ info: 1 })
  })

  test('[P1] a new view contains the members of all instances in joining order', async () => {
    const { here, there } = rooms()
    const first = await here.join(freshClient(), 1)
    const second = await there.join(freshClient('bea'), 2)
    const third = await here.join(freshClient(''))
    const { view, until } = await record(there)
    // The last join may still be announced.
    await until(() => view.count === 3)
    expect([...view.members.keys()]).toEqual([first.id, second.id, third.id])
    expect(view.members.get(third.id)).toEqual({ id: third.id, user: '' })
  })

  test('[P2] the end of a grace does not remove a member that is continued elsewhere', async () => {
    const { here, there } = rooms()
    const [moving, leaving] = [freshClient(), freshClient()]
    await here.join(moving)
    const { id } = await here.join(leaving)
    const seen = await record(there)
    await there.join(reconnected(moving))
    // The grace of the second one begins after that of the first.
    here.disconnect(moving.connectionId)
    here.disconnect(leaving.connectionId)
    await seen.until(() => seen.left.length > 0 && seen.view.count === 1)
    expect(seen.left).toEqual([id])
  })

  test('[P2] a join of an earlier connection that arrives late changes nothing', async () => {
    for (const place of ['here', 'there'] as const) {
      const { here, ...rest } = rooms()
      const late = { here, ...rest }[place]
      const client = { ...freshClient(), sequence: 1 }
      const again = { ...reconnected(client), sequence: 2 }
      const { id } = await here.join(again, 2)
      const seen = await record(here)
      await expect(late.join(client, 1)).rejects.toMatchObject({ code: 'CLOSED' })
      late.disconnect(client.connectionId)
      await late.leave(client.connectionId)
      await here.update(again.connectionId, 3)
      await seen.until(() => seen.view.members.get(id)?.info === 3)
      expect((await late.join({ ...reconnected(client), sequence: 10 }, 3)).id).toBe(id)
      expect(seen.left).toEqual([])
    }
  })

  test('[P1] rooms whose names begin alike have members of their own', async () => {
    const { here, room } = rooms()
    await here.join(freshClient())
    const { view } = await record(use().other.members(`${room}:1`))
    expect(view.count).toBe(0)
  })

  test('[P1] an equal info and a call for a connection that is no member notify no view', async () => {
    const { here, there } = rooms()
    const client = freshClient()
    await here.join(client, { a: 1 })
    const seen = await record(there)
    await here.update(client.connectionId, { a: 1 })
    await here.join(client, { a: 1 })
    await here.update('absent', 1)
    await here.leave('absent')
    here.disconnect('absent')
    await here.update(client.connectionId, { a: 2 })
    await seen.until(() => seen.changes.length > 0)
    expect(seen.changes).toHaveLength(1)
    expect(seen.changes[0]).toMatchObject({ updated: [{ info: { a: 2 } }] })
  })

  test('[P2] a client that joins again elsewhere is the same member, without a leave', async () => {
    const { here, there } = rooms()
    const seen = await record(there)
    const client = freshClient()
    const { id } = await here.join(client, 1)
    here.disconnect(client.connectionId)
    const again = reconnected(client)
    expect(await there.join(again, 1)).toEqual({ id, isListed: true })
    await there.update(again.connectionId, 2)
    await seen.until(() => seen.changes.length === 2)
    expect(seen.changes).toMatchObject([{ joined: [{ id, info: 1 }] }, { updated: [{ id, info: 2 }] }])
    await there.leave(again.connectionId)
  })

  test('[P2] a connection that was superseded changes nothing', async () => {
    const { here, there } = rooms()
    const client = freshClient()
    const { id } = await here.join(client, 1)
    const again = reconnected(client)
    expect((await there.join(again, 1)).id).toBe(id)
    const seen = await record(there)
    await here.update(client.connectionId, 2)
    await here.leave(client.connectionId)
    await there.update(again.connectionId, 3)
    await seen.until(() => seen.changes.length > 0)
    expect(seen.changes).toMatchObject([{ updated: [{ id, info: 3 }], left: [], count: 1 }])
  })

  test('[P2] a member leaves graceMs after its disconnect, for every view', async () => {
    const { here, there } = rooms()
    const seen = await record(there)
    const client = freshClient()
    const { id } = await here.join(client)
    here.disconnect(client.connectionId)
    here.disconnect(client.connectionId)
    await seen.until(() => seen.left.length > 0)
    expect(seen.left).toEqual([id])
    const again = await there.join(reconnected(client))
    expect(seen.changes.at(-1)).toMatchObject({ joined: [{ id: again.id }], count: 1 })
  })

  test('[P2] a connection without a clientId leaves at its disconnect', async () => {
    const { here, there } = rooms()
    const seen = await record(there)
    const { clientId: _clientId, ...connection } = freshClient()
    const stable = freshClient()
    const [anonymous, member] = [await here.join(connection), await here.join(stable)]
    here.disconnect(stable.connectionId)
    here.disconnect(connection.connectionId)
    await seen.until(() => seen.left.length === 2)
    expect(seen.left).toEqual([anonymous.id, member.id])
  })

  test('two users with one clientId are two members', async () => {
    const { here } = rooms()
    const ann = freshClient()
    const bea = { ...reconnected(ann), user: 'bea' }
    expect((await here.join(ann)).id).not.toBe((await here.join(bea)).id)
  })

  test('texts of any kind arrive unchanged', async () => {
    const { here, there } = rooms()
    const seen = await record(there)
    const client = { user: 'ann b:c%\n"ü', clientId: 'a:b c\n', connectionId: 'x y\nz' }
    const info = { 'k\n"': ' ', list: [1, null, 'ü\u2028'], __proto__: null }
    const { id } = await here.join(client, info)
    await seen.until(() => seen.changes.length === 1)
    expect(seen.view.members.get(id)).toMatchObject({ user: client.user, info })
    await here.leave(client.connectionId)
    await seen.until(() => seen.left.length === 1)
  })

  test('a view that is closed receives nothing more', async () => {
    const { here } = rooms()
    const [closed, open] = [await record(here), await record(here)]
    closed.view.close()
    closed.view.close()
    await here.join(freshClient())
    await open.until(() => open.changes.length === 1)
    expect(closed.changes).toEqual([])
  })

  test('onRoomOpen and onRoomEmpty run once in the cluster for each opening and end', async () => {
    const { here, there, room } = rooms()
    const { coordination, other } = use()
    const calls: string[] = []
    const stops = [...new Set([coordination, other])].flatMap((one) => [
      one.onRoomOpen((name) => name === room && calls.push('open')),
      one.onRoomEmpty((name) => name === room && calls.push('empty')),
    ])
    const seen = await record(there)
    const [first, second] = [freshClient(), freshClient()]
    await here.join(first)
    await there.join(second)
    await here.leave(first.connectionId)
    await there.leave(second.connectionId)
    await there.join(second)
    await seen.until(() => seen.changes.length === 5)
    expect(calls).toEqual(['open', 'empty', 'open'])
    for (const stop of stops) stop()
  })

  test('a name that is no room is refused', () => {
    const { coordination } = use()
    for (const name of ['', 'a$b', 'a::b', '$', 'a{b}']) {
      expect(() => coordination.members(name)).toThrow(expect.objectContaining({ code: 'INVALID_ROOM' }))
    }
    expect(coordination.members('$document:1').room).toBe('$document:1')
  })
}
