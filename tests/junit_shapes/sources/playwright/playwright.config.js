export default {
  retries: 1,
  reporter: [['junit', { outputFile: 'out.xml' }]],
  projects: [{ name: 'desk' }, { name: 'phone', grep: /adds up/ }],
};
