// Package bench measures the gateway against what one would use instead, side
// by side in one run: `make bench`.
//
// A cell of the table is one probe (what the clients do) on one subject (what
// stands between clients and server: plain routing, the kernel's own helper,
// ftpalg, another proxy, a relay that looks at nothing). Every cell is measured
// on a network of its own, made for it, with the clients, the server and the
// gateway as processes on its three hosts; the cells of one probe follow each
// other, in several rounds, each in another order. What counts are the ratios of neighbours, as medians
// over the rounds: absolute figures are the machine's. Where one session's delay
// is measured, all programs share one processor. Nothing of a network remains
// after its cell.
//
// The environment says how much is measured:
//
//	FTPALG_BENCH          1: everything, in under 25 minutes
//	                      quick: one short round without the large cells
//	FTPALG_BENCH_ROWS     only probes whose names this expression matches
//	FTPALG_BENCH_COLUMNS  only subjects whose names this expression matches
//	FTPALG_BENCH_OLD      an earlier ftpalg, to compare with in the same run
//	FTPALG_BENCH_ROUNDS   how many rounds
//	FTPALG_BENCH_SECONDS  how long the clients of a cell work, at most 20
//	FTPALG_BENCH_MARKDOWN write the table as Markdown to this file
//	FTPALG_BENCH_SVG      write the chart to this file
package bench
