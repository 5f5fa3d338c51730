I/Lz1iPTVJGs+4+U8WItjHwzFUKAxVJca+k+/aAtcpx0AXZrQl/yF8cTsVjcFl9cmQpaoIwEshwml/mv/iKoDQ==
