import type { Directive } from 'vue'

const FADE_MS = 1_600

/**
 * `v-touched="count"`: highlights the element briefly whenever the number increases, because other users changed its content.
 */
export const vTouched: Directive<HTMLElement, number | undefined> = {
  mounted: (element, { value }) => {
    if (value !== undefined) lightUp(element)
  },
  updated: (element, { value, oldValue }) => {
    if (value !== undefined && value !== oldValue) lightUp(element)
  },
  getSSRProps: () => ({}),
}

// Only the colour changes, without motion: it also suits a preference for reduced motion.
const lightUp = (element: HTMLElement): void => {
  element.animate([{ backgroundColor: 'var(--wash)' }, { backgroundColor: 'var(--wash)', offset: 0.25 }, {}], {
    duration: FADE_MS,
    easing: 'ease-out',
  })
}
