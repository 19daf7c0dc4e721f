import { useRealtimeState, type Realtime } from '@tutti/vue'
import { useRealtimeCollection } from '@tutti/vue/collection'
import { realtimeStores } from '@tutti/vue/pinia'
import { createPinia, defineStore, type Pinia } from 'pinia'
import { createSSRApp, h, type App } from 'vue'

const usePoll = defineStore('poll', () => {
  const votes = useRealtimeState('votes', 0)
  const form = useRealtimeState('form', { title: 'none', tags: ['none'] })
  const { items } = useRealtimeCollection<{ text: string }>('todos:')
  const vote = (): Promise<void> => votes.increment()
  return { votes, form, items, vote }
})

const useVisits = defineStore('visits', {
  state: () => ({ visits: useRealtimeState('visits', 0), about: useRealtimeState('about', { page: 'none' }), local: 'local' }),
})

const Root = {
  setup: () => {
    const poll = usePoll()
    const visits = useVisits()
    return () =>
      h('main', [
        h('button', { onClick: poll.vote }, poll.votes),
        h('input', {
          value: visits.about.page,
          onInput: ({ target }: Event) => {
            if (target && 'value' in target) visits.about.page = String(target.value)
          },
        }),
        h('p', [poll.form.title, poll.form.tags.join(), visits.visits, visits.about.page, visits.local].join(' ')),
        h(
          'ul',
          poll.items.map(({ key, value }) => h('li', { key }, value.text)),
        ),
      ])
  },
}

/** A page with a setup store and an option store, on the server and in the browser. */
export function createPage(realtime: Realtime): { app: App; pinia: Pinia } {
  const pinia = createPinia().use(realtimeStores)
  return { app: createSSRApp(Root).use(pinia).use(realtime), pinia }
}
