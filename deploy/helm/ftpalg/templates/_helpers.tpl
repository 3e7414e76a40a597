{{- define "ftpalg.labels" -}}
app.kubernetes.io/name: ftpalg
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "ftpalg.pod" -}}
metadata:
  labels:
    {{- include "ftpalg.labels" . | nindent 4 }}
spec:
  {{- if eq .Values.kind "edge" }}
  hostNetwork: true
  dnsPolicy: ClusterFirstWithHostNet
  {{- end }}
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: ftpalg
      image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args: [run, --watch, --config, /etc/ftpalg]
      securityContext:
        # The first process is root with these; the one that reads from the
        # network is another user, and has none.
        runAsUser: 0
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: [ALL]
          add: [NET_ADMIN, NET_RAW, NET_BIND_SERVICE, SETUID, SETGID, SETPCAP, KILL]
      {{- if eq .Values.kind "gateway" }}
      ports:
        - {name: ftp, containerPort: 21, protocol: TCP}
      {{- end }}
      # It answers; whether it serves is the other question.
      livenessProbe:
        exec: {command: [ftpalg, sessions]}
        periodSeconds: 20
        timeoutSeconds: 10
        failureThreshold: 3
      readinessProbe:
        exec: {command: [ftpalg, health]}
        periodSeconds: 5
        timeoutSeconds: 5
      startupProbe:
        exec: {command: [ftpalg, sessions]}
        periodSeconds: 2
        failureThreshold: 30
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      volumeMounts:
        - {name: config, mountPath: /etc/ftpalg, readOnly: true}
        - {name: run, mountPath: /run}
  volumes:
    - name: config
      configMap:
        name: {{ .Release.Name }}-ftpalg
    - name: run
      emptyDir: {medium: Memory}
{{- end }}
