export { useRealtimeCursors } from '@tutti/vue/presence'
