/* The charts of the detector report: net returns by exit rule, calibration. Needs ECharts. */
(function () {
  "use strict";

  const LIGHT = { series: ["#0072B2", "#D55E00", "#007a5a", "#A04A7D", "#8a6d00", "#556070"], text: "#1b2430", muted: "#556070", line: "#dfe3e8", back: "#ffffff" };
  const DARK = { series: ["#56B4E9", "#E69F6B", "#4fd1a5", "#E7A3CB", "#e5c452", "#a3adbb"], text: "#e6e9ee", muted: "#a3adbb", line: "#2d3543", back: "#171c26" };
  const SYMBOLS = ["circle", "rect", "triangle", "diamond", "pin", "arrow"];

  function isDark() {
    const root = document.documentElement;
    if (root.classList.contains("dark") || root.dataset.theme === "dark") return true;
    return root.dataset.theme === "auto" && window.matchMedia("(prefers-color-scheme: dark)").matches;
  }

  const percent = (value) => value == null ? "–" : (value * 100).toFixed(1) + " %";
  const range = (low, high) => low == null ? "no interval" : percent(low) + " to " + percent(high);

  function shared(colours, box) {
    return {
      animation: false,
      color: colours.series,
      aria: { enabled: true, label: { description: box.getAttribute("aria-label") } },
      textStyle: { fontFamily: window.getComputedStyle(document.body).fontFamily, color: colours.text },
      legend: { type: "scroll", top: 0, textStyle: { color: colours.text } },
      grid: { left: 62, right: 18, top: 40, bottom: box.clientWidth < 700 ? 110 : 48 },
      tooltip: { trigger: "item", renderMode: "richText", confine: true, backgroundColor: colours.back, borderColor: colours.line, textStyle: { color: colours.text, fontSize: 12, lineHeight: 17 } },
    };
  }

  /* A line from the lower to the upper end of an interval, at a share of the width of a category. */
  function whisker(name, points, colour, place) {
    return {
      type: "custom", name: name, itemStyle: { color: colour }, silent: true, tooltip: { show: false }, z: 3, legendHoverLink: false,
      data: points,
      renderItem: function (_params, api) {
        if (Number.isNaN(api.value(1))) return null;
        const low = api.coord([api.value(0), api.value(1)]);
        const high = api.coord([api.value(0), api.value(2)]);
        const x = low[0] + place(api);
        return { type: "line", shape: { x1: x, y1: low[1], x2: x, y2: high[1] }, style: { stroke: colour, lineWidth: 1.5 } };
      },
      encode: { x: 0, y: [1, 2] },
    };
  }

  function returnsOption(data, colours, box) {
    const axis = { axisLine: { lineStyle: { color: colours.line } }, splitLine: { lineStyle: { color: colours.line } } };
    const size = data.series.length;
    const series = [];
    data.series.forEach(function (one, at) {
      const colour = colours.series[at % colours.series.length];
      const offset = (at - (size - 1) / 2) / (size + 1);
      series.push({
        type: "scatter", name: one.name, symbol: SYMBOLS[at % SYMBOLS.length], symbolSize: 10, itemStyle: { color: colour }, z: 4,
        symbolOffset: [offset * box.clientWidth / (data.rules.length + 1), 0],
        data: one.points.map((point, rule) => ({ value: [rule, point[0]], note: range(point[1], point[2]) })).filter((point) => point.value[1] != null),
      });
      const ends = one.points.map((point, rule) => [rule, point[1], point[2]]).filter((point) => point[1] != null);
      series.push(whisker(one.name, ends, colour, () => offset * box.clientWidth / (data.rules.length + 1)));
    });
    return Object.assign(shared(colours, box), {
      xAxis: Object.assign({ type: "category", data: data.rules, axisTick: { show: false }, axisLabel: { color: colours.muted, interval: 0, rotate: box.clientWidth < 700 ? 40 : 0 } }, axis, { splitLine: { show: false } }),
      yAxis: Object.assign({ type: "value", axisLabel: { color: colours.muted, formatter: percent } }, axis),
      series: series,
      tooltip: Object.assign(shared(colours, box).tooltip, { formatter: (point) => point.seriesName + "\n" + data.rules[point.value[0]] + ": " + percent(point.value[1]) + "\n95 %: " + point.data.note }),
    });
  }

  function calibrationOption(data, colours, box) {
    const axis = { type: "value", min: 0, axisLabel: { color: colours.muted, formatter: (value) => Math.round(value * 100) + " %", hideOverlap: true }, splitLine: { lineStyle: { color: colours.line } }, nameTextStyle: { color: colours.muted } };
    const most = Math.max(0.01, ...data.series.flatMap((one) => one.points.map((point) => Math.max(point[0], point[1] || 0))));
    const series = [{ type: "line", name: "as forecast", symbol: "none", lineStyle: { type: "dashed", color: colours.muted }, itemStyle: { color: colours.muted }, data: [[0, 0], [most, most]] }];
    data.series.forEach(function (one, at) {
      const colour = colours.series[at % colours.series.length];
      series.push({
        type: "line", name: one.name, symbol: SYMBOLS[at % SYMBOLS.length], symbolSize: 9, itemStyle: { color: colour }, lineStyle: { color: colour },
        data: one.points.filter((point) => point[1] != null).map((point) => ({ value: [point[0], point[1]], note: range(point[2], point[3]) })),
      });
      series.push(whisker(one.name, one.points.filter((point) => point[2] != null).map((point) => [point[0], point[2], point[3]]), colour, () => 0));
    });
    return Object.assign(shared(colours, box), {
      xAxis: Object.assign({}, axis, { name: "forecast", nameLocation: "middle", nameGap: 28 }),
      yAxis: Object.assign({}, axis, { name: "observed", nameLocation: "middle", nameGap: 46 }),
      series: series,
      tooltip: Object.assign(shared(colours, box).tooltip, { formatter: (point) => point.seriesName + "\nforecast " + percent(point.value[0]) + ", observed " + percent(point.value[1]) + (point.data.note ? "\n95 %: " + point.data.note : "") }),
    });
  }

  function draw(name, option) {
    const box = document.getElementById(name);
    const source = document.getElementById(name + "-data");
    if (!box || !source || !window.echarts) return;
    const data = JSON.parse(source.textContent);
    const chart = window.echarts.init(box, null, { renderer: "svg" });
    const again = () => chart.setOption(option(data, isDark() ? DARK : LIGHT, box), true);
    again();
    new ResizeObserver(() => { chart.resize(); again(); }).observe(box);
    new MutationObserver(again).observe(document.documentElement, { attributes: true, attributeFilter: ["class", "data-theme"] });
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
    box.dataset.drawn = "true";
  }

  document.addEventListener("DOMContentLoaded", function () {
    draw("returns-chart", returnsOption);
    draw("calibration-chart", calibrationOption);
  });
})();
