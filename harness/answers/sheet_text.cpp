// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "harness/answers/sheet.hpp"

namespace waggle::answers {
namespace {

/// What TeX would take for its own, and characters that its fonts have under other names. A bracket or a star after the
/// end of a row would be an option of that end.
std::string for_latex(std::string_view text) {
  static const std::map<std::string_view, std::string_view> kWords{{"–", "--"},
                                                                   {"·", "\\textperiodcentered{}"},
                                                                   {"×", "\\texttimes{}"},
                                                                   {"µ", "\\textmu{}"},
                                                                   {"…", "\\dots{}"},
                                                                   {"→", "\\textrightarrow{}"},
                                                                   {"\\", "\\textbackslash{}"},
                                                                   {"~", "\\textasciitilde{}"},
                                                                   {"^", "\\textasciicircum{}"},
                                                                   {"<", "\\textless{}"},
                                                                   {">", "\\textgreater{}"},
                                                                   {"|", "\\textbar{}"},
                                                                   {"[", "{[}"},
                                                                   {"*", "{*}"},
                                                                   {"\n", " "}};
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t length = 1;
    while (i + length < text.size() && (static_cast<unsigned char>(text[i + length]) & 0xC0U) == 0x80) {
      ++length;
    }
    const auto one = text.substr(i, length);
    i += length;
    if (const auto found = kWords.find(one); found != kWords.end()) {
      out += found->second;
    } else if (one == "-" && out.ends_with('-')) {
      out += "{-}";  // of two in a row TeX makes a dash
    } else {
      out += one.size() == 1 && std::string_view("&%$#_{}").find(one.front()) != std::string_view::npos ? "\\" : "";
      out += one;
    }
  }
  return out;
}

std::string heading(const Sheet::Column& column) {
  return column.unit.empty() ? column.heading : fmt::format("{} [{}]", column.heading, column.unit);
}

/// Units as siunitx has them; what it does not know is written as it is.
std::string latex_unit(const std::string& unit) {
  static const std::map<std::string, std::string> kUnits{{"Gbit/s", "\\si{\\giga\\bit\\per\\second}"},
                                                         {"s/GiB", "\\si{\\second\\per\\gibi\\byte}"},
                                                         {"1/MiB", "\\si{\\per\\mebi\\byte}"},
                                                         {"1/s", "\\si{\\per\\second}"},
                                                         {"µs", "\\si{\\micro\\second}"},
                                                         {"%", "\\si{\\percent}"},
                                                         {"B/B", "\\si{\\byte\\per\\byte}"}};
  const auto found = kUnits.find(unit);
  return found == kUnits.end() ? for_latex(unit) : found->second;
}

}  // namespace

std::string for_markdown(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\`*_{}[]<>#|~&").find(c) != std::string_view::npos) {
      out += '\\';
    }
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string plain_id(std::string_view id) {
  constexpr std::size_t kLongest = 100;
  std::string plain(id.substr(0, kLongest));
  std::ranges::replace_if(
      plain,
      [](char c) {
        return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.');
      },
      '-');
  return plain;
}

std::string markdown(const Sheet& sheet) {
  std::string text = fmt::format("**{}**\n\n|", for_markdown(sheet.caption));
  for (const auto& column : sheet.columns) {
    text += fmt::format(" {} |", for_markdown(heading(column)));
  }
  text += "\n|";
  for (const auto& column : sheet.columns) {
    text += column.number ? "---:|" : "---|";
  }
  text += "\n";
  for (const auto& row : sheet.rows) {
    text += "|";
    for (const auto& cell : row) {
      const auto shown = for_markdown(cell.text);
      text += cell.bold ? fmt::format(" **{}** |", shown) : fmt::format(" {} |", shown);
    }
    text += "\n";
  }
  for (const auto& note : sheet.notes) {
    text += fmt::format("\n- {}", for_markdown(note));
  }
  return text + (sheet.notes.empty() ? "" : "\n");
}

std::string latex(const Sheet& sheet) {
  std::string text = "\\begin{table}\n  \\centering\n";
  text +=
      fmt::format("  \\caption{{{}}}\n  \\label{{tab:{}}}\n  \\begin{{tabular}}{{", for_latex(sheet.caption), sheet.id);
  for (const auto& column : sheet.columns) {
    text += column.number ? 'r' : 'l';
  }
  text += "}\n    \\toprule\n   ";
  const auto line = [&](const auto& cells, const auto& shown) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      text += (i == 0 ? " " : " & ") + shown(cells[i]);
    }
    text += " \\\\\n";
  };
  line(sheet.columns, [](const Sheet::Column& column) { return for_latex(column.heading); });
  text += "   ";
  line(sheet.columns, [](const Sheet::Column& column) { return latex_unit(column.unit); });
  text += "    \\midrule\n";
  for (const auto& row : sheet.rows) {
    text += "   ";
    line(row, [](const Sheet::Cell& cell) {
      return cell.bold ? fmt::format("\\textbf{{{}}}", for_latex(cell.text)) : for_latex(cell.text);
    });
  }
  text += "    \\bottomrule\n  \\end{tabular}\n";
  for (const auto& note : sheet.notes) {
    text += fmt::format("  \\par\\footnotesize {}\n", for_latex(note));
  }
  return text + "\\end{table}\n";
}

}  // namespace waggle::answers
