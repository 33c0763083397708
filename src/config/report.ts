import { type Problem, pathText } from './problems.ts'

/** Collects what is wrong with one part of a configuration; `at` gives the same for a part of that part. */
export interface Report {
  problem(message: string, ...below: (string | number)[]): void
  at(...below: (string | number)[]): Report
}

export function reportTo(problems: Problem[], ...path: (string | number)[]): Report {
  return {
    problem: (message, ...below) => void problems.push({ path: pathText([...path, ...below]), message }),
    at: (...below) => reportTo(problems, ...path, ...below),
  }
}
