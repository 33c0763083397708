export {
  type Authority,
  type Certificate,
  createAuthority,
} from '../../../src/dev/postgres/certificate-authority.ts'
