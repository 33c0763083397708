import { type GaugeSource, inSeconds } from './gauge-source.ts'
import type { FleetSlots, RateReading } from './readings.ts'

/** Returns the gauges of how near new tokens are to their limit. `clock` is that of the readings. */
export function rateGauges(rates: () => readonly RateReading[], clock: { now(): number }): GaugeSource[] {
  const ofFleet = (measure: (fleet: FleetSlots) => number) => () =>
    rates().flatMap(({ resource, fleet }) => (fleet ? [{ labels: { resource }, value: measure(fleet) }] : []))
  return [
    {
      name: 'jeton_slots_per_second',
      help: 'New tokens that all instances together may deliver in a second, as configured',
      labelNames: ['resource'],
      read: () => rates().map(({ resource, perSecond }) => ({ labels: { resource }, value: perSecond })),
    },
    {
      name: 'jeton_slots_reserved',
      help: 'Slots that all instances have reserved, as far as this one has read',
      labelNames: ['resource'],
      read: ofFleet(({ reserved }) => reserved),
    },
    {
      name: 'jeton_slots_free',
      help: 'Slots of the next 5 seconds that no instance has reserved, as far as this one has read',
      labelNames: ['resource'],
      read: ofFleet(({ free }) => free),
    },
    {
      name: 'jeton_slots_read_timestamp_seconds',
      help: 'When this instance last read or wrote the slots of all instances',
      labelNames: ['resource'],
      read: ofFleet(({ readAt }) => inSeconds(readAt)),
    },
    {
      name: 'jeton_next_free_slot_seconds',
      help: 'Time until the next slot that no instance has reserved, as far as this one has read',
      labelNames: ['resource'],
      read: ofFleet(({ nextFreeAt }) => inSeconds(Math.max(0, nextFreeAt - clock.now()))),
    },
    {
      name: 'jeton_slot_queue_length',
      help: 'Callers of this instance that wait for a slot; no series if nobody does',
      labelNames: ['resource', 'grant'],
      read: () =>
        rates().flatMap(({ resource, waiting }) =>
          waiting.map(({ grant, callers }) => ({ labels: { resource, grant }, value: callers })),
        ),
    },
  ]
}
