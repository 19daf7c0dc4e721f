import { expect, test } from 'vitest'
import { freshClient, freshRoom, reconnected, record, type CreateCoordination } from './coordination-under-test.ts'

/** What options change. Each test makes instances of its own. */
export function limitsContract(create: CreateCoordination): void {
  test('[P6] a join past maxMembers is refused (ROOM_FULL), a member can reconnect', async () => {
    const { coordination, other, dispose } = await create({ maxMembers: 2 })
    try {
      const room = freshRoom()
      const [here, there] = [coordination.members(room), other.members(room)]
      const client = freshClient()
      const { id } = await here.join(client)
      await there.join(freshClient())
      await expect(here.join(freshClient())).rejects.toMatchObject({ code: 'ROOM_FULL' })
      await expect(there.join(freshClient())).rejects.toMatchObject({ code: 'ROOM_FULL' })
      const again = reconnected(client)
      expect((await there.join(again)).id).toBe(id)
      await there.leave(again.connectionId)
      expect((await here.join(freshClient())).isListed).toBe(true)
    } finally {
      await dispose()
    }
  })

  test("[P6] with overflow 'count', members past maxMembers are counted and not listed", async () => {
    const { coordination, other, dispose } = await create({ maxMembers: 1, overflow: 'count' })
    try {
      const room = freshRoom()
      const [here, there] = [coordination.members(room), other.members(room)]
      const seen = await record(there)
      const { id } = await here.join(freshClient(), 1)
      const client = freshClient()
      expect(await here.join(client, 2)).toMatchObject({ isListed: false })
      await here.update(client.connectionId, 3)
      await seen.until(() => seen.view.count === 2)
      expect([...seen.view.members.keys()]).toEqual([id])
      const { view } = await record(there)
      expect([view.members.size, view.count]).toEqual([1, 2])
      await here.leave(client.connectionId)
      await seen.until(() => seen.view.count === 1)
      expect(seen.left).toEqual([])
    } finally {
      await dispose()
    }
  })

  test('[P6] counted members are listed when listed ones leave, the earliest first', async () => {
    const { coordination, other, dispose } = await create({ maxMembers: 2, overflow: 'count' })
    try {
      const room = freshRoom()
      const [here, there] = [coordination.members(room), other.members(room)]
      const seen = await record(there)
      const clients = Array.from({ length: 5 }, () => freshClient())
      const ids: string[] = []
      for (const [n, client] of clients.entries()) ids.push((await (n % 2 === 0 ? here : there).join(client, n)).id)
      await here.update(clients[2]?.connectionId ?? '', 'new')
      const infos = (): unknown[] => [...seen.view.members.values()].map(({ info }) => info)
      const leave = async (n: number): Promise<void> => (n % 2 === 0 ? here : there).leave(clients[n]?.connectionId ?? '')
      await leave(0)
      await seen.until(() => seen.view.count === 4 && seen.view.members.has(ids[2] ?? ''))
      expect(infos()).toEqual([1, 'new'])
      // One that was counted only leaves.
      await leave(3)
      await leave(1)
      await seen.until(() => seen.view.count === 2 && seen.view.members.size === 2)
      expect(infos()).toEqual(['new', 4])
      await here.update(clients[4]?.connectionId ?? '', 'newer')
      await seen.until(() => infos().includes('newer'))
      expect(await here.join(freshClient())).toMatchObject({ isListed: false })
      expect(seen.left).toEqual([ids[0], ids[1]])
    } finally {
      await dispose()
    }
  })

  test('a listener that throws is reported and stops no other', async () => {
    const errors: unknown[] = []
    const { coordination, dispose } = await create({ onError: (...args) => errors.push(args) })
    try {
      const room = freshRoom()
      const members = coordination.members(room)
      const broken = members.observe({
        onChange: () => {
          throw new Error('broken')
        },
      })
      await broken.ready
      const seen = await record(members)
      await members.join(freshClient())
      expect(seen.changes).toHaveLength(1)
      expect(errors).toEqual([[expect.objectContaining({ message: 'broken' }), { stage: 'listener', room }]])
    } finally {
      await dispose()
    }
  })

  test('[C5] after close every call fails with CLOSED, and nothing more is notified', async () => {
    const { coordination, dispose } = await create({})
    const members = coordination.members(freshRoom())
    const seen = await record(members)
    const client = freshClient()
    await members.join(client)
    members.disconnect(client.connectionId)
    await coordination.close()
    await coordination.close()
    expect(coordination.instance.state).toBe('closed')
    const closed = { code: 'CLOSED' }
    await expect(members.join(client)).rejects.toMatchObject(closed)
    await expect(members.update(client.connectionId, 1)).rejects.toMatchObject(closed)
    await expect(members.leave(client.connectionId)).rejects.toMatchObject(closed)
    members.disconnect(client.connectionId)
    members.publishCursors({})
    expect(() => members.observe()).toThrow(expect.objectContaining(closed))
    expect(() => coordination.members('a')).toThrow(expect.objectContaining(closed))
    expect(() => coordination.onRoomOpen(() => {})).toThrow(expect.objectContaining(closed))
    expect(() => coordination.onRoomEmpty(() => {})).toThrow(expect.objectContaining(closed))
    expect(seen.changes).toHaveLength(1)
    await dispose()
  })
}
