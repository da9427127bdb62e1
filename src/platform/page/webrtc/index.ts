export { electLender, type ElectLenderInit, type LenderElection } from './elect-lender.ts'
export { lendWebRtc, type Lending, type LendOptions } from './lend.ts'
