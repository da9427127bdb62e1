/** What each command prints for --help, before anything is installed: plain JavaScript without imports. */
export const HELP = {
  start: `npm start -- [options]

Builds the app if need be, starts the companion (relay) and serves the app.

  --port N        port to listen on, 0 for any free one (default 8080)
  --data DIR      folder of identity and certificates (default .data)
  --host [NAME]   serve phones on the local network over https; NAME is the host name or
                  address in links (default: this machine's address)
  --no-qr         print no QR code
  --no-build      serve dist as it is
  --help          print this

Other settings: environment variables POCKET_… or a file named by POCKET_CONFIG,
see relay-config/companion.example.jsonc.
`,

  test: `npm test [-- --only <step>[,<step>]] [-- --list]
`,

  bench: `npm run bench:smoke [-- options]
npm run bench [-- options]

--only <case>[,<case>]  some cases; nothing is written then
--rounds <number>       in the place of each case's own
--out <folder>          where the tables go (docs/benchmarks)
--no-build              the app as it was built last`,

  soak: `npm run soak [-- options]

Kills the page, its worker and the browser at random over transfers and adds.

--kills <number>  in all (200)
--size <MiB>      of each file (200)
--seed <number>   of when and what is killed, to do the same again (random)
--no-build        the app as it was built last`,
}
