/**
 * A small chart of the last minutes.
 *
 * @module
 */
import { h } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { useColorsVersion } from "./theme.js";

/**
 * A line of a chart.
 *
 * @typedef {object} Line
 * @property {string} label
 * @property {string} color A custom property of the style sheet, such as `--chart-1`.
 * @property {(number | undefined)[]} values
 * @property {boolean} [isFilled]
 */

/** In pixels. */
const HEIGHT = 120;
/** A chart shows at least so many seconds: of a program that has just begun, most of it is empty. */
const LEAST_SPAN = 300;

/**
 * The chart is a picture to those who listen: what it says must be in `summary`.
 *
 * @param {object} props
 * @param {string} props.summary
 * @param {number[]} props.times in milliseconds
 * @param {Line[]} props.lines
 * @param {(value: number | undefined) => string} props.format
 * @param {number} props.least The least that the top of the chart stands for.
 */
export function Chart({ summary, times, lines, format, least }) {
  const host = useRef(/** @type {HTMLElement | null} */ (null));
  const chart = useRef(/** @type {uPlot | undefined} */ (undefined));
  const colors = useColorsVersion();
  const [pointed, setPointed] = useState(/** @type {number | null | undefined} */ (undefined));
  const data = /** @type {uPlot.AlignedData} */ ([
    times.map((time) => time / 1000),
    ...lines.map(({ values }) => values.map((value) => value ?? null)),
  ]);

  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const plot = new uPlot(options(element, { lines, format, least, onPoint: setPointed }), data, element);
    chart.current = plot;
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [colors]);
  useEffect(() => chart.current?.setData(data), [times.at(-1), times.length]);

  const shown = pointed ?? times.length - 1;
  return [
    h(
      "p",
      { class: "legend", "aria-hidden": "true" },
      lines.map(({ label, color, values }) =>
        h(
          "span",
          null,
          h("i", { class: `key ${color.slice(2)}` }),
          label,
          " ",
          h("b", null, format(values[shown])),
        )
      ),
      pointed != null && h("time", null, clockTime(times[shown] ?? 0, "2-digit")),
    ),
    h("div", { ref: host, class: "chart", role: "img", "aria-label": summary }),
  ];
}

/**
 * @param {HTMLElement} element
 * @param {object} about
 * @param {Line[]} about.lines
 * @param {(value: number) => string} about.format
 * @param {number} about.least
 * @param {(index: number | null | undefined) => void} about.onPoint
 * @returns {uPlot.Options}
 */
function options(element, { lines, format, least, onPoint }) {
  const font = `11px ${getComputedStyle(element).fontFamily}`;
  const stroke = colorOf(element, "--text-dim");
  const grid = { stroke: colorOf(element, "--line"), width: 1 };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [8, 16, 0, 0],
    legend: { show: false },
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx)] },
    cursor: { sync: { key: "traffic" }, y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: {
      x: { range: (_plot, min, max) => [Math.min(min, max - LEAST_SPAN), max] },
      y: { range: (_plot, _min, max) => [0, Math.max(max * 1.1, least)] },
    },
    axes: [
      { font, stroke, grid: { show: false }, ticks: { show: false }, size: 22, space: 70, values: clock },
      {
        font,
        stroke,
        grid,
        ticks: { show: false },
        size: 52,
        space: 34,
        values: (_plot, ticks) => ticks.map(format),
      },
    ],
    series: [
      {},
      ...lines.map(({ label, color, isFilled }) => {
        const stroke = colorOf(element, color);
        const fill = isFilled ? { fill: colorOf(element, `${color}-fill`) } : {};
        return {
          label,
          stroke,
          width: 1.5,
          points: { show: (/** @type {uPlot} */ plot) => plot.data[0].length === 1, size: 4 },
          ...fill,
        };
      }),
    ],
  };
}

/** @param {uPlot} _plot @param {number[]} ticks in seconds */
function clock(_plot, ticks) {
  return ticks.map((tick) => clockTime(tick * 1000));
}

/** @param {number} at @param {"2-digit"} [second] */
function clockTime(at, second) {
  return new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", second });
}

/** A colour of the style sheet as the canvas understands it. @param {HTMLElement} element @param {string} property */
function colorOf(element, property) {
  const probe = document.createElement("i");
  probe.style.color = `var(${property})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
