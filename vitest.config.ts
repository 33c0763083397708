import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/start-order.ts'

/** What starts processes, measures memory or holds a machine busy: a process of its own for each file. */
const OWN_PROCESS = [
  'test/{action,attacks,demo,deploy,dev,e2e,fuzz,infra,recipes,simulation,soak,support}/**/*.test.ts',
  'test/store/memory.test.ts',
]

const shared = {
  // of this process alone: what jeton makes of the warning is tested with servers and commands of their own
  env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
  testTimeout: 30_000,
  hookTimeout: 60_000,
  // a busy machine may not get to what is waited for within a second, which is the default
  expect: { poll: { timeout: 10_000, interval: 20 } },
}

export default defineConfig({
  test: {
    globalSetup: ['test/setup.ts'],
    // by default one core stays free, which is half of two; many tests only wait
    maxWorkers: '100%',
    sequence: { sequencer: LongestFirst },
    projects: [
      { test: { ...shared, name: 'processes', include: OWN_PROCESS } },
      // Starting a process and loading what is tested would take longer than most of these files do. They leave nothing
      // behind in theirs: each stubs and restores what is of the process alone.
      {
        test: {
          ...shared,
          name: 'parts',
          include: ['test/**/*.test.ts'],
          exclude: OWN_PROCESS,
          isolate: false,
        },
      },
    ],
  },
})
