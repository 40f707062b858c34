/* The chart of one symbol: candles, volume, signals, outcomes, splits. Needs ECharts. */
(function () {
  "use strict";

  const LIGHT = { up: "#0072B2", down: "#D55E00", signal: "#A04A7D", best: "#007a5a", text: "#1b2430", muted: "#556070", line: "#dfe3e8", back: "#ffffff" };
  const DARK = { up: "#56B4E9", down: "#E69F6B", signal: "#E7A3CB", best: "#4fd1a5", text: "#e6e9ee", muted: "#a3adbb", line: "#2d3543", back: "#171c26" };

  function isDark() {
    const root = document.documentElement;
    if (root.classList.contains("dark") || root.dataset.theme === "dark") return true;
    return root.dataset.theme === "auto" && window.matchMedia("(prefers-color-scheme: dark)").matches;
  }

  const price = (value) => value == null ? "–" : "$" + Number(value).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: value < 1 ? 4 : 2 });
  const change = (value) => (value >= 0 ? "+" : "") + (value * 100).toFixed(1) + " %";
  function large(value) {
    for (const [size, letter] of [[1e9, "B"], [1e6, "M"], [1e3, "k"]]) {
      if (Math.abs(value) >= size) return (value / size).toLocaleString("en-US", { maximumFractionDigits: 1 }) + " " + letter;
    }
    return String(Math.round(value));
  }

  function points(rows, symbol, size, style, name) {
    return {
      type: "scatter", name: name, symbol: symbol, symbolSize: size, z: 5, xAxisIndex: 0, yAxisIndex: 0,
      data: rows.map((row) => ({ value: [row[0], row[1]], note: row[2] })), itemStyle: style,
    };
  }

  function tooltip(data, at) {
    const day = data.days[at];
    const candle = data.candles[at];
    const lines = [day + (data.adjusted ? "  adjusted" : "  raw")];
    if (candle) {
      lines.push("open " + price(candle[0]) + "   high " + price(candle[3]));
      lines.push("low " + price(candle[2]) + "   close " + price(candle[1]));
    } else {
      lines.push("close " + price(data.closes[at]) + " (open, high, low not known)");
    }
    lines.push("volume " + large(data.volumes[at]) + " shares");
    for (const row of data.signals) if (row[0] === day) lines.push("▲ signal: " + row[2]);
    for (const row of data.entries) if (row[0] === day) lines.push("○ entry at " + price(row[1]) + ", signal of " + row[2]);
    for (const row of data.bests) if (row[0] === day) lines.push("◇ best close: " + change(row[2]));
    for (const row of data.ends) if (row[0] === day) lines.push("□ after 14 sessions: " + change(row[2]));
    for (const row of data.splits) if (row[0] === day) lines.push("┊ " + row[1]);
    return lines.join("\n");
  }

  function option(data, colours, narrow) {
    const left = narrow ? 46 : 62;
    const axis = { type: "category", data: data.days, boundaryGap: true, axisLine: { lineStyle: { color: colours.line } }, axisTick: { show: false } };
    const value = { scale: true, splitLine: { lineStyle: { color: colours.line } }, axisLabel: { color: colours.muted } };
    const hollow = (colour) => ({ color: colours.back, borderColor: colour, borderWidth: 2 });
    return {
      animation: false,
      aria: { enabled: true, label: { description: document.getElementById("symbol-chart").getAttribute("aria-label") } },
      textStyle: { fontFamily: window.getComputedStyle(document.body).fontFamily, color: colours.text },
      grid: [
        { left: left, right: 14, top: 14, height: narrow ? "54%" : "60%" },
        { left: left, right: 14, top: narrow ? "66%" : "71%", height: "14%" },
      ],
      axisPointer: { link: [{ xAxisIndex: "all" }], label: { backgroundColor: colours.muted } },
      tooltip: {
        trigger: "axis", renderMode: "richText", confine: true, axisPointer: { type: "cross" },
        backgroundColor: colours.back, borderColor: colours.line, textStyle: { color: colours.text, fontSize: 12, lineHeight: 17 },
        formatter: (found) => tooltip(data, (Array.isArray(found) ? found[0] : found).dataIndex === undefined ? 0 : data.days.indexOf((Array.isArray(found) ? found[0] : found).axisValue)),
      },
      xAxis: [
        Object.assign({ gridIndex: 0, axisLabel: { show: false } }, axis),
        Object.assign({ gridIndex: 1, axisLabel: { color: colours.muted, hideOverlap: true } }, axis),
      ],
      yAxis: [
        Object.assign({}, value, { gridIndex: 0, axisLabel: { color: colours.muted, formatter: (v) => "$" + (v < 10 ? v.toFixed(2) : v.toLocaleString("en-US")) } }),
        Object.assign({}, value, { gridIndex: 1, splitNumber: 2, axisLabel: { color: colours.muted, formatter: large } }),
      ],
      dataZoom: [
        { type: "inside", xAxisIndex: [0, 1], zoomOnMouseWheel: "ctrl" },
        { type: "slider", xAxisIndex: [0, 1], height: 22, bottom: 6, left: left, right: 14, borderColor: colours.line, textStyle: { color: colours.muted }, brushSelect: false },
      ],
      series: [
        {
          type: "candlestick", name: "price", xAxisIndex: 0, yAxisIndex: 0,
          data: data.candles.map((candle) => candle || "-"),
          itemStyle: { color: colours.up, borderColor: colours.up, color0: colours.back, borderColor0: colours.down },
          markLine: {
            symbol: "none", silent: true, label: { formatter: "{b}", color: colours.muted, position: "insideEndTop" },
            lineStyle: { type: "dotted", width: 1.5, color: colours.muted },
            data: data.splits.map((row) => ({ xAxis: row[0], name: row[1] })),
          },
        },
        { type: "line", name: "close", data: data.closes, showSymbol: false, connectNulls: false, lineStyle: { color: colours.muted, width: 1.5 }, itemStyle: { color: colours.muted } },
        {
          type: "bar", name: "volume", xAxisIndex: 1, yAxisIndex: 1,
          data: data.volumes.map((volume, at) => ({ value: volume, itemStyle: data.up[at] ? { color: colours.up } : { color: colours.back, borderColor: colours.down, borderWidth: 1 } })),
        },
        points(data.signals, "triangle", 11, { color: colours.signal }, "signal"),
        points(data.entries, "circle", 9, hollow(colours.signal), "entry"),
        points(data.bests, "diamond", 11, hollow(colours.best), "best close"),
        points(data.ends, "rect", 9, hollow(colours.muted), "after 14 sessions"),
      ],
    };
  }

  document.addEventListener("DOMContentLoaded", function () {
    const box = document.getElementById("symbol-chart");
    const source = document.getElementById("symbol-chart-data");
    if (!box || !source || !window.echarts) return;
    const data = JSON.parse(source.textContent);
    const chart = window.echarts.init(box, null, { renderer: "svg" });
    const draw = () => chart.setOption(option(data, isDark() ? DARK : LIGHT, box.clientWidth < 520), true);
    draw();
    new ResizeObserver(() => { chart.resize(); }).observe(box);
    new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ["class", "data-theme"] });
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    box.dataset.drawn = "true";
  });
})();
