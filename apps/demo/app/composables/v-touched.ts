import type { Directive } from 'vue'

const FADE_MS = 1_600

/** `v-touched="count"`: lights the element up for a moment whenever the number grows, for others changed what it shows. */
export const vTouched: Directive<HTMLElement, number | undefined> = {
  mounted: (element, { value }) => {
    if (value !== undefined) lightUp(element)
  },
  updated: (element, { value, oldValue }) => {
    if (value !== undefined && value !== oldValue) lightUp(element)
  },
  getSSRProps: () => ({}),
}

// Colour only, nothing moves: it may stay for those who want less motion.
const lightUp = (element: HTMLElement): void => {
  element.animate([{ backgroundColor: 'var(--wash)' }, { backgroundColor: 'var(--wash)', offset: 0.25 }, {}], {
    duration: FADE_MS,
    easing: 'ease-out',
  })
}
