import { LOAD_PROFILES, type LoadProfile, renewal } from './load-profiles.ts'
import { type RunResult, runSimulation } from './run-simulation.ts'
import { STRATEGIES, type StrategyName } from './strategies.ts'

export type LoadProfileName = keyof typeof LOAD_PROFILES

/** One run as plain data, which can be sent to a worker. */
export interface Scenario {
  /** A named profile, or hours in which so many principals renew their tokens. */
  readonly load: LoadProfileName | { readonly principals: number; readonly hours: number }
  readonly strategy: StrategyName
  readonly maxDelayMs: number
}

export interface ScenarioResult {
  readonly scenario: Scenario
  readonly result: RunResult
}

/** Returns the load profile of a scenario. */
export const profileOf = ({ load }: Scenario): LoadProfile =>
  typeof load === 'string' ? LOAD_PROFILES[load] : renewal(load.principals, load.hours * 3_600_000)

export function runScenario(scenario: Scenario, seed: string): Promise<RunResult> {
  const { create: createStrategy } = STRATEGIES[scenario.strategy]
  return runSimulation({
    profile: profileOf(scenario),
    createStrategy,
    maxDelayMs: scenario.maxDelayMs,
    seed,
  })
}
