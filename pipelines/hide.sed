# For sed -E: *** for the user and password of each address, and for the values of queries that are
# named like a password. Whatever stands between :// and the last @ of a word counts as user and
# password, since people write @ and / in passwords as they are.
s#([[:alpha:]][[:alnum:]+.-]*://)[^[:space:]"<>]*@#\1***@#g
s#([?&][^=&[:space:]]*(pass|pwd|token|secret|auth|apikey|api_key|signature)[^=&[:space:]]*=)[^&[:space:]"<>]*#\1***#gI
