import * as v from 'valibot'

export default defineSchema({
  state: {
    counter: v.number(),
    'todos:*': v.object({ text: v.string(), done: v.boolean() }),
    'notes:*': v.string(),
  },
  events: { 'chat:*': v.object({ text: v.string() }) },
})
