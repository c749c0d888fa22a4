// One axis of a plot: which of its values are named, and where a value lies between its two ends.

export type Scale = 'linear' | 'log'

export interface Axis {
  readonly ticks: readonly number[]
  /** From 0 at one end of the axis to 1 at the other. */
  at(value: number): number
}

/** Values that are named one by one; where there are more, round ones are. */
const namedMax = 12

/** From 0 to a round number above all values, or from one power of ten to another. What is not above 0 has no place on a logarithmic axis. */
export function axisOf(values: readonly number[], scale: Scale): Axis {
  return scale === 'log' ? logAxis(values.filter((value) => value > 0)) : linearAxis(values)
}

/** The values themselves are named, as far as there is room, and the axis ends with the last. */
export function axisOfSteps(values: readonly number[], scale: Scale): Axis {
  const steps = [...new Set(values)].sort((left, right) => left - right)
  if (steps.length > namedMax || steps.length === 0) {
    const last = steps.at(-1) ?? 1
    if (scale === 'log') return axisOf(steps, 'log')
    const { ticks } = linearAxis(steps)
    return { ticks: ticks.filter((tick) => tick <= last), at: (value) => value / last }
  }
  const [first, last] = [steps[0]!, steps.at(-1)!]
  if (scale === 'linear' || first <= 0 || first === last) return { ticks: steps, at: (value) => value / last }
  return { ticks: steps, at: (value) => Math.log(value / first) / Math.log(last / first) }
}

function linearAxis(values: readonly number[]): Axis {
  const most = Math.max(0, ...values)
  const step = most === 0 ? 1 : roundStep(most / 5)
  const end = Math.max(step, Math.ceil(most / step) * step)
  return {
    // Without the last bits of sums of tenths.
    ticks: Array.from({ length: Math.round(end / step) + 1 }, (_, index) => Number((index * step).toPrecision(12))),
    at: (value) => value / end,
  }
}

function logAxis(values: readonly number[]): Axis {
  const [least, most] = values.length === 0 ? [1, 10] : [Math.min(...values), Math.max(...values)]
  const from = Math.floor(Math.log10(least))
  const to = Math.max(from + 1, Math.ceil(Math.log10(most)))
  const powers = Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index))
  const digits = powers.length <= 3 ? [1, 2, 5] : [1]
  const ticks = powers.flatMap((power) => digits.map((digit) => Number((digit * power).toPrecision(12))))
  return {
    ticks: ticks.filter((tick) => tick <= 10 ** to),
    at: (value) => (Math.log10(Math.max(value, 10 ** from)) - from) / (to - from),
  }
}

/** 1, 2 or 5 with noughts behind it: no less than this. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  return [1, 2, 5, 10].map((digit) => digit * power).find((step) => step >= least)!
}
