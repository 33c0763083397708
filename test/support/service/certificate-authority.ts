export {
  type Authority,
  type Certificate,
  createAuthority,
  type IssueOptions,
} from '../../../src/dev/postgres/certificate-authority.ts'
