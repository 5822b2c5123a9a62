//! What all pictures have in common.

/// The colours, for a light and a dark page. The colour scheme of a page also holds for its
/// pictures.
const STYLE: &str = "\
svg { color: #1a1a1a; background: #fff }
.who { font-weight: bold }
.life { stroke: #595959; stroke-dasharray: 3 3 }
.label { paint-order: stroke; stroke: #fff; stroke-width: 4px }
.send { color: #1546c9; fill: #1546c9 } .reply { color: #0b6a1d; fill: #0b6a1d }
.lost { color: #a8121f; fill: #a8121f }
@media (prefers-color-scheme: dark) {
svg { color: #d3d4e0; background: #161923 }
.life { stroke: #a3a5b8 } .label { stroke: #161923 }
.send { color: #8fc1f5; fill: #8fc1f5 } .reply { color: #a8cf7a; fill: #a8cf7a }
.lost { color: #ffa9a9; fill: #ffa9a9 }
}";

/// Returns the start of the SVG element, with its title and its colours. `name` makes the id
/// unique.
pub fn opening(width: usize, height: usize, name: &str, title: &str) -> String {
    format!(
        "<svg class=\"exchange\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" aria-labelledby=\"{name}-title\" xmlns=\"http://www.w3.org/2000/svg\" \
         font-family=\"monospace\" font-size=\"12\" fill=\"currentColor\">\n\
         <title id=\"{name}-title\">{}</title>\n<style>\n{STYLE}\n</style>\n",
        escaped(title)
    )
}

/// Escapes a text for XML.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
