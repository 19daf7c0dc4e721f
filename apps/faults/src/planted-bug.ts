/** Bugs that can be planted, to see that the checks would find such a one. */
export const PLANTED_BUGS = {
  twice: 'instances forget the numbers of mutations, so one that is sent again happens again',
  'no-repair': 'instances ignore gaps in what they hear',
  'any-version': 'clients take every entry they hear, older ones too',
} as const

/** The name of a planted bug. */
export type PlantedBug = keyof typeof PLANTED_BUGS

/** Tells whether it is one. */
export const isPlantedBug = (name: unknown): name is PlantedBug => typeof name === 'string' && Object.hasOwn(PLANTED_BUGS, name)
