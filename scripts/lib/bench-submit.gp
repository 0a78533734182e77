# SPDX-License-Identifier: GPL-2.0
#
# gnuplot -e 'dir="DIR"; unit="UNIT"': DIR/submit.svg from what bench-submit.awk left.
set terminal svg size 900,1000 font "sans,13"
set output dir."/submit.svg"
set multiplot layout 3,1
set key top left
set grid ytics
set title "Writeback by submit rule: cost"
set ylabel unit." per MiB"
set style data histogram
set style histogram clustered gap 1
set style fill solid 0.7
set yrange [0:*]
set format y "%.0f"
set xtics noenhanced
plot dir."/cost.dat" using 2:xtic(1) title columnheader, "" using 3 title columnheader, "" using 4 title columnheader
set title "How long a folio lock is held, sequential"
set xlabel "below, ".unit
set ylabel "% of folios"
set logscale x 2
set format x "2^{%L}"
set xtics enhanced
set key top right
set yrange [0:100]
plot for [i=2:6] dir."/holds.dat" using 1:i with linespoints title columnheader(i) noenhanced
set title "How long a folio lock is held, sequential, with faults beside the writer"
plot for [i=2:6] dir."/holds-contended.dat" using 1:i with linespoints title columnheader(i) noenhanced
unset multiplot
