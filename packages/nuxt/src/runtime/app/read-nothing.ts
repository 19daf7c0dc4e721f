import type { PageOptions } from '@tutti/vue'

/** For pages without a realtime server: they show all as loading, and the browser requests what its user may read. */
export const readNothing: PageOptions = { read: async () => [] }
