"""What every service needs and none owns.

The light half (``clock``, ``correlation``, ``jsons``, ``logs``, ``problems``, ``retrying``,
``schemas``, ``settings``, ``tokens``, ``upstream``) imports neither Tornado nor a database driver:
the Lambda starts cold with it. The other modules serve HTTP and speak to MySQL.
"""
