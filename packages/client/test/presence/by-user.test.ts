import { byUser, type PresenceMember } from '@tutti/client/presence'
import { expect, test } from 'vitest'

const member = (id: string, user: string, isMe = false): PresenceMember<string> => ({ id, user, info: `info of ${id}`, isMe })

test('[P1] byUser combines the members of one user, and none without a user', () => {
  const members = [member('1', 'ada'), member('2', ''), member('3', 'ada', true), member('4', '')]
  expect(byUser(members)).toEqual([
    { id: '1', user: 'ada', info: 'info of 3', isMe: true, members: [members[0], members[2]] },
    { id: '2', user: '', info: 'info of 2', isMe: false, members: [members[1]] },
    { id: '4', user: '', info: 'info of 4', isMe: false, members: [members[3]] },
  ])
})
