import { RealtimePubSub } from '@tutti/pubsub'
import type { AttachRealtimeOptions } from '@tutti/server/nitro'
import { reactiveDriver, reactiveRedisDriver } from '@tutti/storage-driver'
import fsDriver from 'unstorage/drivers/fs-lite'

/** Where state is kept without Redis, in the folder that the server is started in. */
const DATA_FOLDER = '.data'

/** With `REDIS_URL`: one of many instances. Without: one instance, its state on disk. */
export function realtimeOptions(): AttachRealtimeOptions {
  const url = process.env['REDIS_URL']
  if (url) {
    const pubsub = new RealtimePubSub({ url, onError: (error, { stage }) => console.error(`Redis (${stage}):`, error) })
    return { pubsub, state: reactiveRedisDriver({ pubsub }), onError: report }
  }
  return {
    state: reactiveDriver(fsDriver({ base: DATA_FOLDER })),
    onError: report,
    onWarning: () => console.warn(`REDIS_URL is not set: state is kept in ${DATA_FOLDER}, and there is no sync between instances.`),
  }
}

const report: NonNullable<AttachRealtimeOptions['onError']> = (error, { stage }) => console.error(`Realtime (${stage}):`, error)
