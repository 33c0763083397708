import { escapeUnprintable, printableJson } from '../../lib/printable.ts'
import type { TextOutput } from '../streams.ts'
import { terminalStyle } from '../terminal-style.ts'
import { type Diagnosis, STEPS, type StepName, type StepRow, type StepWatch } from './step.ts'

/** Prints an examination. */
export interface DoctorReport extends StepWatch {
  /** Prints what is left to say at the end; without a diagnosis, that all is well unless a step has failed. */
  end(diagnosis?: Diagnosis): void
}

const RESULT_WIDTH = 'not tried'.length
const STEP_WIDTH = Math.max(...STEPS.map(step => step.length))
const TIME_WIDTH = '10000 ms'.length

/** Returns a report in rows, each printed as its step ends; on a terminal, the step that runs is shown meanwhile. */
export function createTextReport(stdout: TextOutput): DoctorReport {
  const style = terminalStyle(stdout)
  const tried: StepName[] = []
  let hasFailed = false

  function print({
    step,
    result,
    time,
    detail,
  }: {
    step: string
    result: string
    time: string
    detail: string
  }) {
    const shownResult = result.padEnd(RESULT_WIDTH)
    const cells = [
      step.padEnd(STEP_WIDTH),
      result === 'ok'
        ? style.good(shownResult)
        : result === 'failed'
          ? style.bad(shownResult)
          : style.dim(shownResult),
      style.dim(time.padStart(TIME_WIDTH)),
      escapeUnprintable(detail),
    ]
    const mark = result === 'not tried' ? (stdout.isTTY ? '  ' : '') : style.mark(result === 'ok')
    stdout.write(`${mark}${cells.join('  ').trimEnd()}\n`)
  }

  return {
    onBegin(step) {
      if (stdout.isTTY) stdout.write(`  ${step} …`)
    },
    onRow({ step, result, ms, detail }) {
      tried.push(step)
      hasFailed ||= result === 'failed'
      // the row covers all of what was shown meanwhile
      if (stdout.isTTY) stdout.write('\r')
      print({ step, result, time: `${ms} ms`, detail })
    },
    end(diagnosis) {
      if (!hasFailed && diagnosis === undefined && tried.length === STEPS.length)
        return void stdout.write(
          `\n${style.mark(true)}all is well: jeton and the database accept this caller\n`,
        )
      if (tried.length > 0)
        for (const step of STEPS)
          if (!tried.includes(step)) print({ step, result: 'not tried', time: '', detail: '' })
      if (diagnosis === undefined) return
      const { means, remedies } = diagnosis
      const list = remedies.map((remedy, index) => `  ${index + 1}. ${escapeUnprintable(remedy)}\n`)
      stdout.write(
        `\n${style.bold('It means:')} ${means}.\n${style.bold('What to do, the likeliest first:')}\n`,
      )
      stdout.write(list.join(''))
    },
  }
}

export interface Subject {
  database: string
  user: string | undefined
}

/** Returns a report that prints one JSON object at its end. */
export function createJsonReport(stdout: TextOutput, { database, user }: Subject): DoctorReport {
  const rows: StepRow[] = []
  return {
    onBegin() {},
    onRow: row => void rows.push(row),
    end(diagnosis) {
      const isWell = rows.length === STEPS.length && rows.every(({ result }) => result === 'ok')
      const notTried = STEPS.slice(rows.length).map(step => ({ step, result: 'not tried' }))
      const report = {
        database,
        ...(user !== undefined && { user }),
        result: isWell ? 'ok' : 'failed',
        steps: [...rows, ...notTried],
        ...(diagnosis && { means: diagnosis.means, remedies: diagnosis.remedies }),
      }
      stdout.write(`${printableJson(report, 2)}\n`)
    },
  }
}
