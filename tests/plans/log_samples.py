"""Lines of access logs as servers write them. Imports nothing.

From the documentation of Apache's mod_log_config, and as nginx writes its predefined "combined".
"""

COMMON = '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326'
COMBINED = f'{COMMON} "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"'
NGINX = (
    '192.0.2.7 - - [02/Mar/2026:09:30:00 +0100] "POST /api/cart?id=5 HTTP/2.0" 503 0 '
    '"-" "curl/8.5.0"'
)
