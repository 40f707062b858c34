/* Charts of the recovery and timing pages: progress over time, the dollar bridge. Needs ECharts. */
(function () {
  "use strict";

  const LIGHT = { line: "#0072B2", back: "#ffffff", text: "#1b2430", muted: "#556070", grid: "#dfe3e8", up: "#0072B2", down: "#D55E00", plain: "#7a8696" };
  const DARK = { line: "#56B4E9", back: "#171c26", text: "#e6e9ee", muted: "#a3adbb", grid: "#2d3543", up: "#56B4E9", down: "#E69F6B", plain: "#8a94a6" };

  function isDark() {
    const root = document.documentElement;
    if (root.classList.contains("dark") || root.dataset.theme === "dark") return true;
    return root.dataset.theme === "auto" && window.matchMedia("(prefers-color-scheme: dark)").matches;
  }

  const money = (value) => (value < 0 ? "-$" : "$") + Math.abs(value).toLocaleString("en-US", { maximumFractionDigits: 0 });

  function axes(colours, names, form) {
    return {
      animation: false,
      textStyle: { color: colours.text },
      grid: { left: 70, right: 20, top: 24, bottom: 36 },
      tooltip: { trigger: "axis", renderMode: "richText", confine: true, backgroundColor: colours.back, borderColor: colours.grid, textStyle: { color: colours.text, fontSize: 12 }, valueFormatter: (value) => value == null ? "–" : form(value) },
      xAxis: { type: "category", data: names, axisLine: { lineStyle: { color: colours.grid } }, axisLabel: { color: colours.muted, hideOverlap: true } },
      yAxis: { type: "value", splitLine: { lineStyle: { color: colours.grid } }, axisLabel: { color: colours.muted, formatter: form } },
    };
  }

  function progress(data, colours) {
    const levels = [[data.goal, "recovered"], [data.random, "random stocks"], [data.idle, "idle cash"]];
    const option = axes(colours, data.days, (value) => value.toFixed(1) + " %");
    option.yAxis.min = 0;
    option.yAxis.max = 100;
    option.series = [{
      type: "line", name: "progress", data: data.progress, connectNulls: false, symbolSize: 6,
      lineStyle: { color: colours.line, width: 2 }, itemStyle: { color: colours.line },
      markLine: {
        symbol: "none", silent: true, lineStyle: { type: "dashed", color: colours.muted },
        label: { formatter: "{b}", color: colours.muted, position: "insideEndTop" },
        data: levels.filter((level) => level[0] != null).map((level) => ({ yAxis: level[0], name: level[1] })),
      },
    }];
    return option;
  }

  function bridge(data, colours, box) {
    const option = axes(colours, data.names, money);
    Object.assign(option.xAxis.axisLabel, { hideOverlap: false, interval: 0, rotate: box.clientWidth < 600 ? 35 : 0 });
    if (box.clientWidth < 600) option.grid.bottom = 64;
    option.series = [{
      type: "bar", name: "USD", label: { show: true, position: "top", color: colours.text, formatter: (point) => money(point.value) },
      data: data.usd.map((value) => ({ value: value, itemStyle: { color: value < 0 ? colours.down : colours.up } })),
    }];
    return option;
  }

  const KINDS = { progress: progress, bridge: bridge };

  document.addEventListener("DOMContentLoaded", function () {
    if (!window.echarts) return;
    document.querySelectorAll("[data-score-chart]").forEach(function (box) {
      const source = document.getElementById(box.dataset.scoreChart);
      if (!source) return;
      const data = JSON.parse(source.textContent);
      const chart = window.echarts.init(box, null, { renderer: "svg" });
      const draw = () => chart.setOption(KINDS[data.kind](data, isDark() ? DARK : LIGHT, box), true);
      draw();
      new ResizeObserver(() => { chart.resize(); draw(); }).observe(box);
      new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ["class", "data-theme"] });
      window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
      box.dataset.drawn = "true";
    });
  });
})();
