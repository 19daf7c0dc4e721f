import { subscribeDurable } from '@tutti/client/durable'
import { RealtimeError, toWireError } from '@tutti/protocol'
import { expect, test } from 'vitest'
import { connectedClient, settled } from '../setup-client.ts'

test('[X2] a right that ends while its subscription is requested is reported', async () => {
  const { client, server, errors } = await connectedClient()
  subscribeDurable(client, 'chat:a', () => {})
  await settled()
  // The server begins the subscription, ends it, and replies then.
  server.link.notify({
    name: 'server:revoked',
    payload: { target: { channel: 'chat:a' }, error: toWireError(new RealtimeError('FORBIDDEN')) },
  })
  await server.flush()
  expect(errors).toMatchObject([{ code: 'FORBIDDEN' }])
})
