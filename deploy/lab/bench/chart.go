package bench

import (
	"fmt"
	"html"
	"io"
	"strings"
)

// chart is a set of bars: how fast each subject is, where the kernel helper
// is 1.
type chart struct {
	series []string
	groups []group
}

// group is one row of the table.
type group struct {
	label string
	bars  []bar
}

// bar is one subject's speed. Series is its place in chart.series.
type bar struct {
	series int
	speed  float64
}

// chart arranges the rows in which a subject can be compared with the kernel
// helper: rates, and medians of delays.
func (r *report) chart() chart {
	var c chart
	for _, s := range r.subjects {
		if s.name != helper && !s.ftps {
			c.series = append(c.series, s.name)
		}
	}
	for _, p := range r.probes {
		m := p.measures[0] // of a delay, its median
		g := group{label: m.name}
		for i, name := range c.series {
			if speed, ok := r.speed(m, name); ok {
				g.bars = append(g.bars, bar{i, speed})
			}
		}
		if len(g.bars) > 0 {
			c.groups = append(c.groups, g)
		}
	}
	return c
}

func (r *report) speed(m measure, column string) (float64, bool) {
	values, reference := r.values(figure{m.name, column}), r.values(figure{m.name, helper})
	if m.kind == rate {
		return median(quotients(values, reference))
	}
	return median(quotients(reference, values))
}

// The chart's measures in pixels.
const (
	chartWidth   = 790
	labelWidth   = 260
	unitWidth    = 380 // of the ratio 1
	longestRatio = 1.25
	barHeight    = 9
	groupGap     = 9
	headHeight   = 74
	footHeight   = 12
)

// chartStyle has a palette for light pages and one for dark ones, told apart
// by hue and lightness alike.
const chartStyle = `
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-size: 15px; font-weight: 600 }
.value { font-size: 9px }
.one { stroke: #57606a; stroke-dasharray: 3 3 }
.s0 { fill: #8c959f } .s1 { fill: #0969da } .s2 { fill: #54aeff } .s3 { fill: #1a7f37 } .s4 { fill: #bc4c00 } .s5 { fill: #8250df }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.one { stroke: #8b949e }
.s0 { fill: #6e7681 } .s1 { fill: #388bfd } .s2 { fill: #a5d6ff } .s3 { fill: #3fb950 } .s4 { fill: #f0883e } .s5 { fill: #bc8cff }
}
`

// writeSVG draws the chart.
func (c chart) writeSVG(w io.Writer) error {
	var b strings.Builder
	height := headHeight + footHeight
	for _, g := range c.groups {
		height += len(g.bars)*barHeight + groupGap
	}
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img">`+"\n", chartWidth, height)
	fmt.Fprintf(&b, "<title>Speed compared with the kernel's own FTP helper</title>\n<style>%s</style>\n", chartStyle)
	b.WriteString(`<text class="title" x="12" y="24">Speed, where the kernel's own FTP helper is 1 (longer is better)</text>` + "\n")
	c.legend(&b)
	y := headHeight
	for _, g := range c.groups {
		g.draw(&b, y)
		y += len(g.bars)*barHeight + groupGap
	}
	fmt.Fprintf(&b, `<line class="one" x1="%[1]d" x2="%[1]d" y1="%d" y2="%d"/>`+"\n</svg>\n", labelWidth+unitWidth, headHeight-6, height-footHeight)
	_, err := io.WriteString(w, b.String())
	return err
}

func (c chart) legend(b *strings.Builder) {
	const step = 128
	for i, name := range c.series {
		x := 12 + i*step
		fmt.Fprintf(b, `<rect class="s%d" x="%d" y="40" width="12" height="12"/><text x="%d" y="50">%s</text>`+"\n", i, x, x+18, html.EscapeString(name))
	}
}

// draw draws a group from y on. A bar beyond the longest ratio is cut; its
// number is not.
func (g group) draw(b *strings.Builder, y int) {
	middle := y + len(g.bars)*barHeight/2 + 4
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", labelWidth-8, middle, html.EscapeString(g.label))
	for i, bar := range g.bars {
		top := y + i*barHeight
		length := min(bar.speed, longestRatio) * unitWidth
		fmt.Fprintf(b, `<rect class="s%d" x="%d" y="%d" width="%.1f" height="%d"/>`, bar.series, labelWidth, top, length, barHeight-1)
		fmt.Fprintf(b, `<text class="value" x="%.1f" y="%d">%.2f</text>`+"\n", labelWidth+length+4, top+barHeight-1, bar.speed)
	}
}
