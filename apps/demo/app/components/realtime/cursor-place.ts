/**
 * The place of a cursor: in an area of the content (an element with `data-cursor-area`), or in all of it (area ''). `x` and `y` are
 * shares of its width and height, so that the place fits a page of another width, in which the areas are arranged differently.
 */
export interface CursorPlace {
  readonly area: string
  readonly x: number
  readonly y: number
}

/** Where the pointer is in the content; `undefined` outside. */
export function placeOf({ target, clientX, clientY }: PointerEvent, content: HTMLElement): CursorPlace | undefined {
  if (!(target instanceof Element) || !content.contains(target)) return undefined
  const closest = target.closest<HTMLElement>('[data-cursor-area]')
  const area = closest && content.contains(closest) ? closest : content
  const { left, top, width, height } = area.getBoundingClientRect()
  return { area: area.dataset['cursorArea'] ?? '', x: share(clientX - left, width), y: share(clientY - top, height) }
}

/** Pixels of a cursor, without and with its name below: it stays within the content, so that it never makes the page scroll. */
const SIZE = { width: 16, height: 44 } as const

/** The place in pixels from the corner of the content; `undefined` if this page does not have the area, or the data is no place. */
export function offsetOf(place: unknown, content: HTMLElement): { x: number; y: number } | undefined {
  if (!isPlace(place)) return undefined
  const area = place.area === '' ? content : content.querySelector(`[data-cursor-area="${CSS.escape(place.area)}"]`)
  if (area === null) return undefined
  const [box, origin] = [area.getBoundingClientRect(), content.getBoundingClientRect()]
  const x = box.left - origin.left + share(place.x, 1) * box.width
  const y = box.top - origin.top + share(place.y, 1) * box.height
  return { x: Math.min(x, origin.width - SIZE.width), y: Math.min(y, origin.height - SIZE.height) }
}

/** From 0 to 1, with as many digits as pixels need. */
const share = (part: number, whole: number): number => Math.round(Math.min(Math.max(part / whole, 0), 1) * 10_000) / 10_000

/** Other clients may send anything. */
const isPlace = (data: unknown): data is CursorPlace => {
  if (typeof data !== 'object' || data === null) return false
  const valueOf = (name: string): unknown => Object.getOwnPropertyDescriptor(data, name)?.value
  return typeof valueOf('area') === 'string' && Number.isFinite(valueOf('x')) && Number.isFinite(valueOf('y'))
}
